import { expect, test, vi } from 'vitest';
import { createMemory, memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type AttemptRef, type TaskBridgeOptions, type TaskExecutor, type Work } from '../../server/index.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';

const HOUR_MS = 60 * 60 * 1000;
/** The bridge's own look comes later than any test looks, and a task that fails rests for a second first. */
const tasks = { reconcileMs: 10 * HOUR_MS, leaseMs: 30 * HOUR_MS, effectRetryMs: 1000, retainedAfterEndMs: 60_000 };

/** Work that asks one question, at an outside system whose verbs fail for the tasks that the test says. */
function outside() {
  const down = new Set<string>();
  let unreachable = false;
  const works = new Map<string, Work>();
  const told: string[] = [];
  const failWhere = ({ taskId }: AttemptRef) => {
    if (down.has(taskId) || unreachable) throw new Error('out of reach');
  };
  const executor: TaskExecutor = {
    name: 'outside',
    leased: false,
    handles: () => true,
    repeatable: () => true,
    async start(work) {
      failWhere(work);
      works.set(work.taskId, work);
      return { status: 'started' };
    },
    async resume(attempt, { outcome }) {
      failWhere(attempt);
      told.push(`${attempt.taskId} ${outcome}`);
    },
    cancel: () => Promise.resolve(),
  };
  return {
    executor,
    told,
    down,
    setUnreachable: (is: boolean) => (unreachable = is),
    ask: (taskId: string, expiresAt: number | null = null) =>
      works.get(taskId)?.report({
        source: 'work',
        seq: 1,
        intents: [
          {
            type: 'report.suspended',
            payload: {
              suspendId: 'q',
              kind: 'USER_ACTION_REQUIRED',
              reasonCode: 'Q',
              allowedActions: ['yes'],
              schemaVersion: 1,
              ...(expiresAt !== null && { expiresAt: new Date(expiresAt).toISOString() }),
            },
          },
        ],
      }),
    end: (taskId: string) =>
      works.get(taskId)?.report({ source: 'work', seq: 1, intents: [{ type: 'report.completed', payload: { result: 1 } }] }),
  };
}

async function stage(options: Partial<TaskBridgeOptions> = {}) {
  const clock = fakeClock();
  const system = outside();
  const of = await bridgeOf(system.executor, { clock, store: memoryStore({ clock }), tasks, ...options });
  const answer = (taskId: string) => of.act(taskId, { clientActionId: 'a', suspendId: 'q', actionType: 'yes' });
  return { ...of, ...system, clock, answer };
}

const nothing = { visited: 0, started: 0, handedOver: 0, questionsExpired: 0, tasksRemoved: 0, failed: 0 };

test('hands over what the work was not told, one failure stopping no other, and counts it', async () => {
  const { bridge, start, ask, answer, down, told, clock } = await stage();
  const ids = await Promise.all([start('x'), start('x'), start('x')]);
  const [broken = '', ...sound] = ids;
  for (const id of ids) {
    await ask(id);
    down.add(id);
    await answer(id);
  }
  // The first delivery fails as soon as the answer is there, and each task is due again a second later: then they still fail.
  await vi.waitFor(() => expect(clock.armed.filter((ms) => ms === 1000)).toHaveLength(3));
  clock.advance(1000);
  await vi.waitFor(() => expect(clock.armed.filter((ms) => ms === 2000)).toHaveLength(3));
  for (const id of sound) down.delete(id);
  expect(await bridge.reconcile()).toEqual({ ...nothing, visited: 3, handedOver: 2, failed: 1 });
  expect(told.toSorted()).toEqual(sound.map((id) => `${id} ANSWERED`).toSorted());
  down.delete(broken);
  expect(await bridge.reconcile()).toEqual({ ...nothing, visited: 1, handedOver: 1 });
  expect(told).toHaveLength(3);
  expect(await bridge.reconcile()).toEqual(nothing);
});

test('starts what nobody could be asked to start, and counts the tries that failed', async () => {
  const { bridge, start, setUnreachable, snapshot, ask, clock } = await stage();
  setUnreachable(true);
  const taskId = await start('x');
  expect(await bridge.reconcile()).toEqual(nothing);
  clock.advance(1000);
  expect(await bridge.reconcile()).toEqual({ ...nothing, visited: 1, failed: 1 });
  setUnreachable(false);
  clock.advance(2000);
  expect(await bridge.reconcile()).toEqual({ ...nothing, visited: 1, started: 1 });
  await ask(taskId);
  expect((await snapshot(taskId)).state).toBe('suspended');
});

test('clears away what is over: questions, tasks and files, and counts each once', async () => {
  const clock = fakeClock();
  const attachments = memoryAttachments({ clock });
  const of = await stage({ clock, store: memoryStore({ clock }), attachments });
  const [asking, ended] = await Promise.all([of.start('x'), of.start('x')]);
  await attachments.put(
    `${'a'.repeat(32)}/0`,
    (async function* () {
      yield Buffer.from('left behind');
    })(),
  );
  await of.ask(asking, clock.now() + 30_000);
  await of.end(ended);
  expect(await of.bridge.prune()).toEqual({ questionsExpired: 0, tasksRemoved: 0, attachmentsSwept: 0, failed: 0 });
  clock.advance(60_000);
  expect(await of.bridge.prune()).toEqual({ questionsExpired: 1, tasksRemoved: 1, attachmentsSwept: 0, failed: 0 });
  expect(of.told).toEqual([`${asking} EXPIRED`]);
  await expect(of.snapshot(ended)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  expect((await of.snapshot(asking)).state).toBe('running');
  await of.bridge
    .tasks({ subject: 'alice' })
    .start({ clientRequestId: 'with a file', taskType: 'x', attachments: [{ fileName: 'a', content: 'a' }] });
  clock.advance(HOUR_MS - 60_000 + 1);
  expect(await of.bridge.prune()).toEqual({ questionsExpired: 0, tasksRemoved: 0, attachmentsSwept: 0, failed: 0 });
  clock.advance(HOUR_MS);
  expect(await of.bridge.prune()).toEqual({ questionsExpired: 0, tasksRemoved: 0, attachmentsSwept: 1, failed: 0 });
  expect(await of.bridge.prune()).toEqual({ questionsExpired: 0, tasksRemoved: 0, attachmentsSwept: 0, failed: 0 });
});

test('keeps files that cannot be deleted for the next time, and deletes the others', async () => {
  const clock = fakeClock();
  const memory = memoryAttachments({ clock });
  const stuck = `${'a'.repeat(32)}/0`;
  const attachments = {
    ...memory,
    remove: (key: string) => (key === stuck ? Promise.reject(new Error('held by another program')) : memory.remove(key)),
  };
  const { bridge } = await stage({ clock, store: memoryStore({ clock }), attachments });
  // The bridge's own first look goes on in later turns, and sweeps: it is over before there is a file.
  for (let turn = 0; turn < 3; turn++) {
    clock.advance(1);
    await quiesce();
  }
  await bridge.tasks({ subject: 'alice' }).start({ clientRequestId: 'r', taskType: 'x', attachments: [{ fileName: 'a', content: 'a' }] });
  for (const key of [stuck, `${'b'.repeat(32)}/0`])
    await memory.put(
      key,
      (async function* () {
        yield Buffer.from('left behind');
      })(),
    );
  clock.advance(HOUR_MS + 1);
  await bridge.prune();
  clock.advance(HOUR_MS);
  expect(await bridge.prune()).toEqual({ questionsExpired: 0, tasksRemoved: 0, attachmentsSwept: 1, failed: 1 });
});

test.each<[string, () => AsyncIterable<string>]>([
  ['hangs', () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) })],
  [
    'has no end',
    async function* () {
      for (;;) yield await new Promise<string>((resolve) => setImmediate(resolve, `${'f'.repeat(32)}/0`));
    },
  ],
])('closes while a sweep goes on whose list %s, and that says what it did so far', async (_what, keys) => {
  const asked = vi.fn();
  const attachments = {
    ...memoryAttachments(),
    keys: () => {
      asked();
      return keys();
    },
  };
  const { bridge } = await stage({ attachments });
  const pruned = bridge.prune();
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  await bridge.close();
  expect(await pruned).toMatchObject({ failed: 0 });
});

test('may run twice at once: what is done is done and counted once', async () => {
  const { bridge, start, ask, answer, down, told, clock } = await stage();
  const ids = await Promise.all(Array.from({ length: 5 }, () => start('x')));
  for (const id of ids) {
    await ask(id);
    down.add(id);
    await answer(id);
  }
  await vi.waitFor(() => expect(clock.armed.filter((ms) => ms === 1000)).toHaveLength(5));
  clock.advance(1000);
  await vi.waitFor(() => expect(clock.armed.filter((ms) => ms === 2000)).toHaveLength(5));
  down.clear();
  const counts = await Promise.all([bridge.reconcile(), bridge.reconcile(), bridge.prune()]);
  expect(counts.reduce((sum, count) => sum + ('handedOver' in count ? count.handedOver : 0), 0)).toBe(5);
  expect(counts.map(({ failed }) => failed)).toEqual([0, 0, 0]);
  expect(told.toSorted()).toEqual(ids.map((id) => `${id} ANSWERED`).toSorted());
});

test('may run on two nodes at once: what both find is counted by the one that wrote it', async () => {
  const clock = fakeClock();
  const memory = createMemory();
  const one = await stage({ clock, store: memoryStore({ clock, memory }) });
  const other = await bridgeOf(one.executor, { clock, store: memoryStore({ clock, memory }), tasks });
  const ids = await Promise.all(Array.from({ length: 5 }, () => one.start('x')));
  for (const id of ids) {
    await one.ask(id);
    one.down.add(id);
    await one.answer(id);
  }
  clock.advance(1000);
  await vi.waitFor(() => expect(clock.armed.filter((ms) => ms === 2000)).toHaveLength(5));
  one.down.clear();
  const counts = await Promise.all([one.bridge.reconcile(), other.bridge.reconcile()]);
  expect(counts.reduce((sum, { handedOver }) => sum + handedOver, 0)).toBe(5);
  // The work may be told twice, and knows what it was told.
  expect(new Set(one.told).size).toBe(5);
});

test('does not start again once it is closed, nor opens its store', async () => {
  const memory = memoryStore();
  const open = vi.fn(() => memory.open());
  const { bridge } = await stage({ store: { ...memory, open } });
  await bridge.close();
  await expect(bridge.start()).rejects.toThrow('This bridge is closed');
  expect(open).toHaveBeenCalledTimes(1);
});

test('says so while there is no store to ask', async () => {
  const store = memoryStore();
  const bridge = createTaskBridge({ store, executor: outside().executor, auth: () => undefined, tasks });
  await expect(bridge.reconcile()).rejects.toMatchObject({ name: 'TaskBridgeError', code: 'STORE_UNAVAILABLE' });
  await bridge.start();
  expect(await bridge.reconcile()).toEqual(nothing);
  await bridge.close();
  await expect(bridge.reconcile()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect(bridge.prune()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});
