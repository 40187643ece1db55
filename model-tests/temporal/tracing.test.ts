import { trace } from '@opentelemetry/api';
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openTelemetryTracer, withTraceContext } from '../../adapters/opentelemetry/index.ts';
import type { FlowTaskRef } from '../../adapters/temporal/activities/index.ts';
import { temporalExecutor } from '../../adapters/temporal/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { patience } from '../support/patience.ts';
import { forgetRegistered, registerTelling, type ToldSpan } from '../tracing/told-spans.ts';
import { TRACE_ID } from '../tracing/traced-create.ts';
import { temporalHarness, type TemporalHarness } from './temporal-harness.ts';

const WAIT = { interval: 10 };

const told: ToldSpan[] = [];
const named = (name: string): ToldSpan[] => told.filter((span) => span.name === name);
let world: TemporalHarness;

beforeAll(async () => {
  registerTelling((span) => void told.push(span));
  world = await temporalHarness({
    // As the guide has it.
    step: ({ traceContext }: FlowTaskRef) => withTraceContext(traceContext, () => trace.getTracer('a library').startSpan('step').end()),
  });
}, patience(120_000));

afterAll(async () => {
  await world?.close();
  forgetRegistered();
});

test('activities hang their spans beneath the attempt that started their workflow, also in the run that goes on from it', async () => {
  // What Temporal's own interceptor for OpenTelemetry would hang its spans beneath.
  let active: string | undefined;
  const interceptor: WorkflowClientInterceptor = {
    start(input, next) {
      active = trace.getActiveSpan()?.spanContext().spanId;
      return next(input);
    },
  };
  const { connection, options } = world.client;
  const client = new Client({ connection, namespace: options.namespace, interceptors: { workflow: [interceptor] } });
  const of = await bridgeOf(temporalExecutor({ client, taskQueue: world.taskQueue, workflow: 'followed' }), {
    store: world.store,
    tracer: openTelemetryTracer(),
  });
  const response = await fetch(`${of.url}/api/v1/tasks`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'alice',
      traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
      tracestate: 'vendor=1',
    },
    body: JSON.stringify({ clientRequestId: 'r1', taskType: 'followed' }),
  });
  // As the server answers it.
  const { taskId } = (await response.json()) as { readonly taskId: string };
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('completed'), WAIT);

  const [attempt] = named('taskbridge.attempt');
  expect(attempt).toMatchObject({ traceId: TRACE_ID, parentId: named('taskbridge.create')[0]?.spanId });
  const step = { traceId: TRACE_ID, parentId: attempt?.spanId };
  expect(named('step')).toMatchObject([step, step]);
  expect(active).toBe(attempt?.spanId);
});
