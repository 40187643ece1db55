import { trace } from '@opentelemetry/api';
import { workerTask } from 'taskbridge/adapters/worker';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { openTelemetryTracer, withTraceContext } from '../../adapters/opentelemetry/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { faultyStore } from '../server/faulty-store.ts';
import { workerExecutor } from '../server/worker-executor.ts';
import { forgetRegistered, registerTelling, type ToldSpan } from './told-spans.ts';
import { CALLER, TRACE_ID, tracedCreate } from './traced-create.ts';

const silent = { warn: () => undefined, error: () => undefined };

let told: ToldSpan[] = [];
function register(): void {
  registerTelling((span) => void told.push(span));
}
beforeEach(() => void (told = []));
afterEach(forgetRegistered);

const named = (name: string): ToldSpan[] => told.filter((span) => span.name === name);

/** What a library that knows of OpenTelemetry does. */
function step(name: string): void {
  trace.getTracer('a library').startSpan(name).end();
}

/** A host whose tasks workers run, and the reporter of one. */
async function hostAndWorker(isTraced: boolean) {
  const memory = memoryStore();
  await memory.open();
  const store = faultyStore(memory, { shared: true });
  const traced = isTraced ? { tracer: openTelemetryTracer() } : {};
  const outside = workerExecutor();
  const host = await bridgeOf(outside.executor, { store, ...traced });
  return { host, started: outside.started, reporter: createTaskReporter({ store, logger: silent, ...traced }) };
}

test('each run of a worker has a span beneath the create, and what it does in it hangs there', async () => {
  register();
  const { host, started, reporter } = await hostAndWorker(true);
  const taskId = await tracedCreate(host.url, { traceparent: CALLER, tracestate: 'vendor=1' });
  await vi.waitFor(() => expect(started).toHaveLength(1));

  const first = await workerTask(reporter, { taskId });
  withTraceContext(first.traceContext, () => step('first step'));
  first.leave();
  const second = await workerTask(reporter, { taskId });
  expect(named('taskbridge.attempt').map(({ attributes }) => attributes['taskbridge.attempt'])).toEqual([1, 2]);
  await withTraceContext(second.traceContext, async () => {
    await second.progress(10);
    step('second step');
  });
  await second.complete('done');

  const [created] = named('taskbridge.create');
  await vi.waitFor(() => expect(named('taskbridge.attempt')).toHaveLength(3));
  const spans = named('taskbridge.attempt');
  // The first is the start, in the host.
  expect(spans.map(({ attributes }) => attributes['taskbridge.attempt'])).toEqual([1, 2, 3]);
  expect(new Set(spans.map(({ parentId }) => parentId))).toEqual(new Set([created?.spanId]));
  expect(named('first step')).toMatchObject([{ traceId: TRACE_ID, parentId: spans[1]?.spanId }]);
  expect(named('second step')).toMatchObject([{ traceId: TRACE_ID, parentId: spans[2]?.spanId }]);
  expect(second.traceContext).toEqual({ traceparent: `00-${TRACE_ID}-${spans[2]?.spanId}-01`, tracestate: 'vendor=1' });
});

test('an executor is given where its attempt stands, and finds that span active while it starts the work', async () => {
  register();
  const { executor, started } = workerExecutor();
  let active: string | undefined;
  const start: typeof executor.start = async (work) => {
    await Promise.resolve();
    active = trace.getActiveSpan()?.spanContext().spanId;
    return executor.start(work);
  };
  const host = await bridgeOf({ ...executor, start }, { tracer: openTelemetryTracer() });
  await tracedCreate(host.url, { traceparent: CALLER });
  await vi.waitFor(() => expect(named('taskbridge.attempt')).toHaveLength(1));
  const [attempt] = named('taskbridge.attempt');
  expect(started[0]?.traceContext).toEqual({ traceparent: `00-${TRACE_ID}-${attempt?.spanId}-01` });
  expect(active).toBe(attempt?.spanId);
});

test('where nobody traces, work is given what the caller sent, or nothing; and what is done in that is done', async () => {
  const { host, started, reporter } = await hostAndWorker(false);
  const taskId = await tracedCreate(host.url, { traceparent: CALLER });
  await vi.waitFor(() => expect(started).toHaveLength(1));
  expect(started[0]?.traceContext).toEqual({ traceparent: CALLER });
  const task = await workerTask(reporter, { taskId });
  expect(task.traceContext).toEqual({ traceparent: CALLER });
  await task.complete('done');

  const other = await hostAndWorker(false);
  await tracedCreate(other.host.url, {});
  await vi.waitFor(() => expect(other.started).toHaveLength(1));
  expect('traceContext' in (other.started[0] ?? {})).toBe(false);
  expect(withTraceContext(other.started[0]?.traceContext, () => 'done')).toBe('done');
});

test('a handler has it too, to send it to whoever it calls', async () => {
  register();
  const seen: unknown[] = [];
  const host = await bridgeOf(inProcess({ work: (task) => Promise.resolve(void seen.push(task.traceContext)) }), {
    tracer: openTelemetryTracer(),
  });
  await tracedCreate(host.url, { traceparent: CALLER });
  await vi.waitFor(() => expect(named('taskbridge.attempt')).toHaveLength(1));
  expect(seen).toEqual([{ traceparent: `00-${TRACE_ID}-${named('taskbridge.attempt')[0]?.spanId}-01` }]);
});

test.each(['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `00-${TRACE_ID}-${'0'.repeat(16)}-01`, `zz-${TRACE_ID}`])(
  'a context that is none, %j, is passed over: what is done begins a trace of its own',
  (traceparent) => {
    register();
    withTraceContext({ traceparent }, () => step('alone'));
    expect(named('alone')).toMatchObject([{ parentId: undefined }]);
    expect(named('alone')[0]?.traceId).not.toBe(TRACE_ID);
  },
);
