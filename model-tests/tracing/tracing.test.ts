import { context, propagation, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { inProcess, TaskFailure } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { openTelemetryMetrics, openTelemetryTracer } from '../../adapters/opentelemetry/index.ts';
import { metricsTable, type Tracer } from '../../server/observability/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { eventually } from '../support/eventually.ts';
import { forgetRegistered, registerTelling, type ToldSpan } from './told-spans.ts';
import { CALLER, TRACE_ID, tracedCreate } from './traced-create.ts';

const silent = { warn: () => undefined, error: () => undefined };

/** Where the SDK is not registered, nobody records. */
let told: ToldSpan[] = [];
function register(): void {
  registerTelling((span) => void told.push(span));
}
beforeEach(() => void (told = []));
afterEach(forgetRegistered);

/** A store that shows what a task was created with. */
function watchedStore() {
  const store = memoryStore();
  const abouts: Record<string, unknown>[] = [];
  const noted: typeof store = {
    ...store,
    create(task) {
      abouts.push(JSON.parse(task.fields['about'] ?? '{}') as Record<string, unknown>);
      return store.create(task);
    },
  };
  return { store: noted, abouts };
}

describe('the tracer for OpenTelemetry', () => {
  test('hangs a handler, and what it calls, beneath its attempt, and that beneath the create', async () => {
    register();
    let seen: string | undefined;
    const work = async (): Promise<void> => {
      await Promise.resolve();
      seen = trace.getActiveSpan()?.spanContext().spanId;
    };
    const host = await bridgeOf(inProcess({ work }), { tracer: openTelemetryTracer() });
    await tracedCreate(host.url, { traceparent: CALLER });
    await eventually(() => told.some(({ name }) => name === 'taskbridge.attempt'));
    const [created] = told.filter(({ name }) => name === 'taskbridge.create');
    const [attempt] = told.filter(({ name }) => name === 'taskbridge.attempt');
    expect(created).toMatchObject({ traceId: TRACE_ID, parentId: 'b7ad6b7169203331', error: undefined });
    expect(attempt).toMatchObject({ traceId: TRACE_ID, parentId: created?.spanId, attributes: { 'taskbridge.task.type': 'work' } });
    expect(seen).toBe(attempt?.spanId);
    const commits = told.filter(({ name }) => name === 'taskbridge.commit');
    expect(commits.map(({ attributes }) => attributes['taskbridge.fact.types']).join(' ')).toContain('TASK_COMPLETED');
    expect(new Set(told.map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
  });

  test('begins a trace for a create that comes without one, and leaves alone what came before anybody traced', async () => {
    const store = memoryStore();
    const before = await bridgeOf(
      inProcess({ work: async (task) => void (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['yes'] })) }),
      {
        store,
      },
    );
    const old = await tracedCreate(before.url);
    register();
    const host = await bridgeOf(inProcess({ work: () => Promise.reject(new TaskFailure('NO', 'no')) }), {
      tracer: openTelemetryTracer(),
      logger: silent,
    });
    await tracedCreate(host.url);
    await eventually(() => told.some(({ name }) => name === 'taskbridge.attempt'));
    expect(told.find(({ name }) => name === 'taskbridge.create')?.parentId).toBeUndefined();
    expect(new Set(told.map(({ traceId }) => traceId)).size).toBe(1);
    expect(told.some(({ attributes }) => attributes['taskbridge.task.id'] === old)).toBe(false);
  });

  test('records nothing where nothing is registered, and passes on what its caller sent', async () => {
    const { store, abouts } = watchedStore();
    const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { store, tracer: openTelemetryTracer() });
    const taskId = await tracedCreate(host.url, { traceparent: CALLER, tracestate: 'vendor=1' });
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('completed'));
    expect(abouts).toMatchObject([{ trace: { traceparent: CALLER, tracestate: 'vendor=1' } }]);
    expect(told).toEqual([]);
  });

  test('is told of codes and closed words only, never of what people wrote', async () => {
    register();
    const secret = 'zq-people-wrote-this';
    const host = await bridgeOf(inProcess({ work: () => Promise.reject(new Error(secret)) }), {
      tracer: openTelemetryTracer(),
      logger: silent,
    });
    await tracedCreate(host.url, { traceparent: CALLER });
    await eventually(() => told.some(({ name }) => name === 'taskbridge.attempt'));
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test('is fed by a client that sends its own context, as the guide says', async () => {
    register();
    const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { tracer: openTelemetryTracer() });
    const traced =
      (plain: typeof fetch): typeof fetch =>
      (input, init) => {
        const request = new Request(input, init);
        propagation.inject<Headers>(context.active(), request.headers, { set: (headers, name, value) => headers.set(name, value) });
        return plain(request);
      };
    const client = createTaskBridgeClient({
      baseUrl: host.url,
      auth: () => ({ authorization: 'alice' }),
      intercept: (transports) => ({ ...transports, fetch: traced(transports.fetch) }),
    });
    const click = trace.getTracer('page').startSpan('click');
    const within: Context = trace.setSpan(context.active(), click);
    const { taskId } = await context.with(within, () => client.start({ taskType: 'work' }));
    for await (const _ of client.observe(taskId));
    click.end();
    await client.close();
    await eventually(() => told.some(({ name }) => name === 'taskbridge.create'));
    expect(told.find(({ name }) => name === 'taskbridge.create')).toMatchObject({
      traceId: click.spanContext().traceId,
      parentId: click.spanContext().spanId,
    });
  });

  test('keeps to the decision of its caller not to record', async () => {
    register();
    const { store, abouts } = watchedStore();
    const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { store, tracer: openTelemetryTracer() });
    const taskId = await tracedCreate(host.url, { traceparent: CALLER.replace(/01$/, '00') });
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('completed'));
    expect(told).toEqual([]);
    expect(abouts).toMatchObject([
      { trace: { traceparent: expect.stringMatching(new RegExp(`^00-${TRACE_ID}-.*-0${TraceFlags.NONE}$`)) as string } },
    ]);
  });
});

test.each<[string, Tracer]>([
  [
    'to begin a span',
    {
      startSpan: () => {
        throw new Error('broken');
      },
    },
  ],
  [
    'to run in it and to end it',
    {
      startSpan: () => ({
        context: { traceparent: CALLER },
        run: () => {
          throw new Error('broken');
        },
        end: () => {
          throw new Error('broken');
        },
      }),
    },
  ],
])('a tracer that fails %s touches nobody, and is logged', async (_what, tracer) => {
  const errors: string[] = [];
  const logger = { ...silent, error: (message: string) => void errors.push(message) };
  let runs = 0;
  const work = (): Promise<void> => Promise.resolve(void (runs += 1));
  const host = await bridgeOf(inProcess({ work }), { tracer, logger });
  const taskId = await tracedCreate(host.url);
  await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('completed'));
  expect(runs).toBe(1);
  expect(errors).toContain('A tracer of the host failed.');
});

test('a repeat of a create is one whatever trace it comes with', async () => {
  const { store, abouts } = watchedStore();
  const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { store });
  const first = await tracedCreate(host.url, { traceparent: CALLER });
  expect(await tracedCreate(host.url, { traceparent: CALLER.replace('0af7', '1bf8') })).toBe(first);
  expect(abouts[0]).toMatchObject({ trace: { traceparent: CALLER } });
});

test('a task that is started again stands in the trace of that request, or in none, and never in that of the first', async () => {
  const { store, abouts } = watchedStore();
  const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { store });
  const retryOf = await tracedCreate(host.url, { traceparent: CALLER });
  await vi.waitFor(async () => expect((await host.snapshot(retryOf)).state).toBe('completed'));
  const again = (headers: Readonly<Record<string, string>>, clientRequestId: string) =>
    fetch(`${host.url}/api/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'alice', ...headers },
      body: JSON.stringify({ clientRequestId, retryOf }),
    });
  const other = CALLER.replace('0af7', '1bf8');
  expect([(await again({}, 'r2')).status, (await again({ traceparent: other }, 'r3')).status]).toEqual([201, 201]);
  await host.bridge.tasks({ subject: 'alice' }).retry(retryOf, { clientRequestId: 'r4' });
  expect(abouts.map(({ trace: kept }) => kept)).toEqual([{ traceparent: CALLER }, undefined, { traceparent: other }, undefined]);
});

test('the sink for OpenTelemetry has an instrument for each metric of the table', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const sink = openTelemetryMetrics({ meter: provider.getMeter('taskbridge') });
  for (const [name, { kind, tags }] of Object.entries(metricsTable)) {
    const given = Object.fromEntries(tags.map((tag) => [tag, 'x']));
    if (kind === 'counter') sink.incrementCounter(name, 2, given);
    else if (kind === 'gauge') sink.setGauge(name, 2, given);
    else sink.observeHistogram(name, 2, given);
  }
  sink.incrementCounter('nobody_knows');
  await reader.forceFlush();
  const found = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: all }) => all));
  expect(found.map(({ descriptor }) => descriptor.name).sort()).toEqual(
    Object.keys(metricsTable)
      .map((name) => `taskbridge_${name}`)
      .sort(),
  );
  for (const { descriptor, dataPoints } of found) {
    const name = descriptor.name.replace('taskbridge_', '') as keyof typeof metricsTable;
    expect([name, Object.keys(dataPoints[0]?.attributes ?? {})]).toEqual([name, [...metricsTable[name].tags]]);
  }
  await provider.shutdown();
});
