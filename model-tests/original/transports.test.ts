import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { until } from '../support/until.ts';
import { createClients, idsOf, typesOf, watch, ways, type Clients } from './clients.ts';
import { startOriginal, type OriginalHost } from './original-host.ts';

let host: OriginalHost;
let clients: Clients;
beforeAll(async () => {
  host = await startOriginal(200);
});
afterAll(() => host?.stop());
/** One finished task of more facts than this server keeps by default. */
let tooLong: Promise<{ readonly taskId: string }> | undefined;
const trimmed = () =>
  (tooLong ??= (async () => {
    const bridge = clients.make();
    const { taskId } = await bridge.start({ taskType: 'count', input: { to: 1300 } });
    await watch(bridge.observe(taskId));
    return { taskId };
  })());

beforeEach(() => {
  clients = createClients(() => host.baseUrl);
});
afterEach(() => clients.close());

test('is the release that the original published', () => {
  expect(host.release).toBe('taskbridge-fastapi 0.2.0');
});

describe.each(ways.map((transports) => ({ transports })))('the original’s server over $transports', ({ transports }) => {
  const client = () => clients.make({ transports });

  test('delivers a whole log as it is stored, and folds it', async () => {
    const bridge = client();
    const { taskId, status, deduplicated } = await bridge.start({ taskType: 'succeed', input: { x: 1 }, metadata: { by: 'test' } });
    expect([status, deduplicated]).toEqual(['ACCEPTED', false]);
    const observation = bridge.observe(taskId);
    const facts = await watch(observation);
    expect(typesOf(facts)).toEqual(['STARTED', 'PROGRESS', 'MESSAGE', 'PROGRESS', 'MESSAGE', 'PROGRESS', 'COMPLETED']);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(facts[4]?.payload).toEqual({ message: 'Übergrößen: 3 — 三', level: 'warning' });
    const { connection, task } = observation.getSnapshot();
    expect(connection).toMatchObject({ state: 'done', transport: transports[0], continuity: 'resumed' });
    expect(task).toMatchObject({ state: 'completed', partial: false, progress: { progress: 100 } });
    expect(task.result).toEqual({ input: { x: 1 }, metadata: { by: 'test' } });
  });

  test('delivers a log of six hundred facts once and in order', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'count', input: { to: 600 } });
    const facts = await watch(bridge.observe(taskId));
    expect(facts).toHaveLength(602);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    // The same once more, from a log that is complete.
    expect(idsOf(await watch(bridge.observe(taskId)))).toEqual(idsOf(facts));
  });

  test('stops reading for a slow consumer and loses nothing', async () => {
    const bridge = clients.make({ transports, limits: { undeliveredMax: 40 } });
    const { taskId } = await bridge.start({ taskType: 'count', input: { to: 300 } });
    const facts = await watch(bridge.observe(taskId), () => new Promise((resolve) => setImmediate(resolve)));
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(facts).toHaveLength(302);
  });

  test('delivers facts as they come, one by one', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'step', input: { to: 5 } });
    const facts = await watch(bridge.observe(taskId), ({ type }) => type !== 'TASK_COMPLETED' && host.step(taskId));
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(typesOf(facts)).toEqual(['STARTED', ...Array.from({ length: 5 }, () => 'PROGRESS'), 'COMPLETED']);
  });

  test('resumes from a checkpoint: what was dealt with does not come again', async () => {
    const kept = new Map<string, string>();
    const checkpoints = {
      read: async (key: string) => kept.get(key),
      write: async (key: string, text: string) => void kept.set(key, text),
      remove: async (key: string) => void kept.delete(key),
    };
    const first = clients.make({ transports, checkpoints });
    const { taskId } = await first.start({ taskType: 'step', input: { to: 4 } });
    const iterator = first.observe(taskId)[Symbol.asyncIterator]();
    for (let taken = 1; taken <= 3; taken += 1) {
      await iterator.next();
      await host.step(taskId);
    }
    await first.close();
    expect([...kept.keys()]).toEqual([`|${host.baseUrl}|${taskId}`]);

    const second = clients.make({ transports, checkpoints }).observe(taskId);
    const facts = await watch(second, ({ type }) => type !== 'TASK_COMPLETED' && host.step(taskId));
    // The third was in hand when the first client was closed.
    expect(idsOf(facts)).toEqual((await host.logOf(taskId)).slice(2));
    expect(second.getSnapshot().task).toMatchObject({ state: 'completed', partial: false });
    expect(kept.size).toBe(0);
  });

  test('resumes from an explicit id, and joins a log whose beginning it does not know', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'succeed' });
    const all = idsOf(await watch(bridge.observe(taskId)));
    const observation = bridge.observe(taskId, { lastEventId: all[2] ?? '' });
    expect(idsOf(await watch(observation))).toEqual(all.slice(3));
    const settled = await until(observation, ({ task }) => task.terminal);
    expect(settled.task).toMatchObject({ state: 'completed', progress: { progress: 100 } });
    expect(idsOf(await watch(bridge.observe(taskId, { lastEventId: '' })))).toEqual(all);
    expect(idsOf(await watch(bridge.observe(taskId, { lastEventId: '0-0' })))).toEqual(all);
  });

  test('answers one question after the other', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'ask' });
    const observation = bridge.observe(taskId);
    const facts = await watch(observation, async ({ type }) => {
      if (type !== 'TASK_SUSPENDED') return;
      const [question] = observation.getSnapshot().task.openSuspensions;
      if (!question) throw new Error('The question is not open.');
      const answer = { suspendId: question.suspendId, actionType: question.reasonCode === 'FIRST' ? 'left' : 'right', payload: { n: 1 } };
      expect((await bridge.act(taskId, answer)).status).toBe('ACCEPTED');
    });
    expect(typesOf(facts)).toEqual(['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    const { task } = observation.getSnapshot();
    expect(task.openSuspensions).toEqual([]);
    expect(task.result).toEqual({ went: ['left', 'right'], payloads: [{ n: 1 }, { n: 1 }] });
  });

  test('tells a failure', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'fail' });
    const observation = bridge.observe(taskId);
    expect(typesOf(await watch(observation))).toEqual(['STARTED', 'PROGRESS', 'FAILED']);
    const failure = { code: 'OUT_OF_PAPER', message: 'The tray is empty.', retryable: true };
    expect(observation.getSnapshot().task).toMatchObject({ state: 'failed', failure });
  });

  test.each([undefined, 'no longer needed'])('ends when the task is cancelled with the reason %s', async (reason) => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'until.cancelled' });
    const observation = bridge.observe(taskId);
    const facts = await watch(observation, async ({ type }) => {
      if (type === 'TASK_STARTED') expect((await bridge.cancel(taskId, reason)).status).toBe('CANCELLATION_REQUESTED');
    });
    expect(typesOf(facts)).toEqual(['STARTED', 'CANCELLED']);
    // This server keeps the caller's reason to itself: the one in the fact is its executor's.
    expect(observation.getSnapshot().task).toMatchObject({ state: 'cancelled', cancellation: { reason: 'asked for' } });
    expect((await bridge.cancel(taskId, reason)).status).toBe('ALREADY_TERMINAL');
  });

  test('takes the payloads of the package’s own executor, which break its own schema', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'fake' });
    const observation = bridge.observe(taskId);
    const facts = await watch(observation);
    expect(typesOf(facts)).toEqual(['STARTED', 'PROGRESS', 'PROGRESS', 'PROGRESS', 'COMPLETED']);
    expect(facts.at(-1)?.payload).toEqual({ message: 'completed' });
    expect(observation.getSnapshot().task).toMatchObject({ state: 'completed', progress: { progress: 3, message: 'tick' } });
  });

  test('ends at the first terminal fact, whatever the log has after it', async () => {
    const bridge = client();
    const { taskId } = await bridge.start({ taskType: 'after.the.end' });
    for (const observation of [bridge.observe(taskId), bridge.observe(taskId)]) {
      expect(typesOf(await watch(observation))).toEqual(['STARTED', 'COMPLETED']);
      expect(observation.getSnapshot().task).toMatchObject({ state: 'completed', result: { first: true } });
    }
    await expect.poll(() => host.logOf(taskId)).toHaveLength(5);
    expect(typesOf(await watch(bridge.observe(taskId)))).toEqual(['STARTED', 'COMPLETED']);
  });

  test('delivers facts from before, during and after the subscription once and in order, forty times', async () => {
    const bridge = client();
    for (let round = 0; round < 40; round += 1) {
      const { taskId } = await bridge.start({ taskType: 'count', input: { to: 8 } });
      // A different moment of the task's life each time.
      for (let turn = 0; turn < (round * 7) % 31; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const facts = await watch(bridge.observe(taskId));
      expect(facts).toHaveLength(10);
      expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    }
  });

  test('delivers thirty tasks at once', async () => {
    const bridge = client();
    const logs = Array.from({ length: 30 }, async () => {
      const { taskId } = await bridge.start({ taskType: 'count', input: { to: 20, everyMs: 1 } });
      expect(idsOf(await watch(bridge.observe(taskId)))).toEqual(await host.logOf(taskId));
    });
    await Promise.all(logs);
  });

  test('delivers what is kept of a log that was trimmed; no word is said of what is not', async () => {
    const bridge = client();
    const { taskId } = await trimmed();
    const observation = bridge.observe(taskId);
    const facts = await watch(observation);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(facts.length).toBeLessThan(1302);
    expect(typesOf(facts)[0]).toBe('PROGRESS');
    expect(observation.getSnapshot()).toMatchObject({ connection: { continuity: 'resumed' }, task: { state: 'completed' } });
  });

  test('stays connected, and says that it knows a part, when it begins behind the end of a finished task', async () => {
    const signs = signsOfLife(3, transports[0] === 'poll' ? 'wire.empty' : 'wire.alive');
    const { taskId } = await client().start({ taskType: 'succeed' });
    const end = (await watch(client().observe(taskId))).at(-1)?.eventId ?? '';
    const observation = clients.make({ transports, inspect: signs.inspect }).observe(taskId, { lastEventId: end });
    const next = expect(observation[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CLOSED' });
    // Nothing that this server says tells such a task from a quiet one.
    await signs.seen;
    expect(observation.getSnapshot()).toMatchObject({ connection: { state: 'live' }, task: { terminal: false, partial: true } });
    observation.close();
    await next;
  });
});

/** Resolves when a client was told this often of life that carries no fact. */
function signsOfLife(count: number, type: string) {
  let left = count;
  let resolve = (): void => undefined;
  const seen = new Promise<void>((done) => {
    resolve = done;
  });
  const inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.event' || event.event.type !== type) return;
    left -= 1;
    if (left === 0) resolve();
  };
  return { seen, inspect };
}
