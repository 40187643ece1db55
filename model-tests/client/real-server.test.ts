import { createServer } from 'node:http';
import Koa from 'koa';
import { createTaskBridge, type TaskBridge } from 'taskbridge/server';
import { memoryStore } from 'taskbridge/adapters/memory';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient, type Observation, type TaskBridgeClient, type TransportName } from 'taskbridge/client/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { onLoopback, type Loopback } from '../support/loopback.ts';

let listening: Loopback;
let bridge: TaskBridge;
let client: TaskBridgeClient;
let baseUrl: string;

beforeEach(async () => {
  bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({
      'count.to': async (task) => {
        const to = Number(task.input['to']);
        for (let i = 1; i <= to; i += 1) await task.progress((i / to) * 100, { stage: `step ${i}` });
        return { counted: to };
      },
      ask: async (task) => {
        const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        return { went: actionType };
      },
    }),
    auth: () => ({ subject: 'ada' }),
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  listening = await onLoopback(server);
  baseUrl = listening.url;
});

afterEach(async () => {
  await client.close();
  await bridge.close();
  await listening.close();
});

/** Cuts every connection each time that `every` more facts were delivered. */
async function watchWhileCutting(taskId: string, every: number): Promise<{ readonly ids: number[]; readonly observation: Observation }> {
  const observation = client.observe(taskId);
  const ids: number[] = [];
  for await (const { eventId } of observation) {
    ids.push(Number(eventId.split('-')[0]));
    if (ids.length % every === 0) for (const socket of listening.sockets) socket.destroy();
  }
  return { ids, observation };
}

describe.each<readonly TransportName[]>([['ws'], ['sse'], ['poll'], ['ws', 'sse', 'poll']])(
  'over %s, cut again and again',
  (...transports) => {
    test.each([1, 3, 17])('delivers every fact once and in order when every %i facts all connections are cut', async (every) => {
      client = createTaskBridgeClient({ baseUrl, transports, limits: { backoffBaseMs: 1, backoffMaxMs: 4, emptyPauseMs: 1 } });
      const { taskId } = await client.start({ taskType: 'count.to', input: { to: 40 } });
      const { ids, observation } = await watchWhileCutting(taskId, every);
      // STARTED, forty times PROGRESS, COMPLETED.
      expect(ids).toEqual(Array.from({ length: 42 }, (_, i) => i + 1));
      const { context, value } = (await bridge.actor(taskId)).getSnapshot();
      const { task } = observation.getSnapshot().task.aggregate;
      expect({ value: task.value, context: task.context }).toEqual({ value, context });
    });
  },
);

describe.each<TransportName>(['ws', 'sse', 'poll'])('against the real server over %s', (transport) => {
  beforeEach(() => {
    client = createTaskBridgeClient({ baseUrl, transports: [transport] });
  });

  test('delivers a whole log once and in order, and folds it', async () => {
    const { taskId } = await client.start({ taskType: 'count.to', input: { to: 50 } });
    const observation = client.observe(taskId);
    const ids: number[] = [];
    for await (const fact of observation) ids.push(Number(fact.eventId.split('-')[0]));
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => i + 1));
    const { task, connection } = observation.getSnapshot();
    expect(task).toMatchObject({ state: 'completed', terminal: true, partial: false, result: { counted: 50 } });
    expect(connection).toMatchObject({ state: 'done', transport, continuity: 'resumed' });
  });

  test('delivers facts from before, during and after the subscription once and in order, 200 times', async () => {
    const turns = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    for (let round = 0; round < 200; round += 1) {
      const { taskId } = await client.start({ taskType: 'count.to', input: { to: 8 } });
      // A different moment of the task's life each time.
      await turns((round * 7) % 23);
      const ids: number[] = [];
      for await (const { eventId } of client.observe(taskId)) ids.push(Number(eventId.split('-')[0]));
      expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
  });

  test('answers a question that the task asks', async () => {
    const { taskId } = await client.start({ taskType: 'ask' });
    const observation = client.observe(taskId);
    const types: string[] = [];
    for await (const fact of observation) {
      types.push(fact.type);
      if (fact.type !== 'TASK_SUSPENDED') continue;
      const [question] = observation.getSnapshot().task.openSuspensions;
      const receipt = await client.act(taskId, { suspendId: question?.suspendId ?? '', actionType: 'left' });
      expect(receipt.status).toBe('ACCEPTED');
    }
    expect(types).toEqual(['TASK_STARTED', 'TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
    expect(observation.getSnapshot().task.result).toEqual({ went: 'left' });
  });

  test('ends at once on a task that has ended', async () => {
    const { taskId } = await client.start({ taskType: 'count.to', input: { to: 3 } });
    for await (const _ of client.observe(taskId));
    const types: string[] = [];
    for await (const fact of client.observe(taskId)) types.push(fact.type);
    expect(types.at(-1)).toBe('TASK_COMPLETED');
  });

  test('fails with the server’s code on an unknown task', async () => {
    const iterator = client.observe('00ffffffffffffffffffffffffffffff')[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND', status: 404 });
  });
});
