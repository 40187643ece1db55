import { fileURLToPath } from 'node:url';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FactPayload } from '../../machines/wire/index.ts';
import { startNode } from '../redis/node-process.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { eventually } from '../support/eventually.ts';
import { patience } from '../support/patience.ts';
import type { ToldSpan } from './told-spans.ts';
import { CALLER, CALLER_SPAN, TRACE_ID, tracedCreate } from './traced-create.ts';

const program = fileURLToPath(new URL('children/traced-host.ts', import.meta.url));

let redis: RedisServer;
beforeAll(async () => void (redis = await startRedis()));
afterAll(() => redis.stop());

test('one trace has a task from its create through two attempts, the first of a node that was killed, and its question to its delivery', async () => {
  const [first, second]: [ToldSpan[], ToldSpan[]] = [[], []];
  const startTraced = (told: ToldSpan[]) =>
    startNode(redis.port, {
      program,
      leaseMs: patience(1500),
      hear: (message) => {
        // Said by the program.
        if ('span' in message) told.push(message.span as ToldSpan);
      },
    });
  const one = await startTraced(first);
  const taskId = await tracedCreate(one.url, { traceparent: CALLER, tracestate: 'vendor=1' }, 'ask');
  await eventually(() => first.some(({ attributes }) => String(attributes['taskbridge.fact.types']).includes('TASK_PROGRESS')));
  await one.kill();

  const two = await startTraced(second);
  const client = createTaskBridgeClient({ baseUrl: two.url, transports: ['ws'] });
  try {
    for await (const fact of client.observe(taskId)) {
      if (fact.type !== 'TASK_SUSPENDED') continue;
      const { suspendId } = fact.payload as FactPayload<'TASK_SUSPENDED'>;
      await client.act(taskId, { suspendId, actionType: 'yes' });
    }
    const has = (name: string) => second.some((span) => span.name === name);
    await eventually(() => has('taskbridge.delivery') && has('taskbridge.question') && has('taskbridge.subscription'));
    await eventually(() => second.some(({ name, attributes }) => name === 'taskbridge.attempt' && attributes['taskbridge.attempt'] === 2));
  } finally {
    await client.close();
    await two.close();
  }

  const [created] = first.filter(({ name }) => name === 'taskbridge.create');
  expect(created).toMatchObject({ traceId: TRACE_ID, parentId: CALLER_SPAN, attributes: { 'taskbridge.task.id': taskId } });
  const ofTask = [...first, ...second].filter(({ name }) => name !== 'taskbridge.subscription');
  expect(new Set(ofTask.map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
  const named = (name: string) => second.filter((span) => span.name === name);
  expect(named('taskbridge.attempt').map(({ attributes, error }) => [attributes['taskbridge.attempt'], error])).toEqual([
    [1, 'lost'],
    [2, undefined],
  ]);
  expect(named('taskbridge.question')).toMatchObject([{ attributes: { 'taskbridge.outcome': 'ANSWERED' } }]);
  expect(named('taskbridge.delivery')).toMatchObject([{ attributes: { 'taskbridge.transport': 'ws' }, parentId: created?.spanId }]);
  // Of a trace of its own: it hangs under nobody's request.
  expect(named('taskbridge.subscription')).toMatchObject([{ links: [TRACE_ID] }]);
  expect(named('taskbridge.subscription')[0]?.parentId).toBeUndefined();
  expect(named('taskbridge.subscription')[0]?.traceId).not.toBe(TRACE_ID);
});
