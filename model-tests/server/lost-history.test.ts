import { describe, expect, test, vi } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import { inProcess, type Handler, type Task } from '../../adapters/in-process/index.ts';
import type { Store, TailListener } from '../../server/ports/index.ts';
import { bridgeOf } from './bridge-of.ts';

const logger = { warn: () => undefined, error: () => undefined };
/** A history that was lost and the one that follows it have no revision in common. */
const REVISIONS_APART = 1000;

/** A store whose replica follows it until it is cut off, and leads from when it is promoted; nodes on it, and what tells them that it was away. */
async function storePair() {
  const [master, replica] = [memoryStore(), memoryStore()];
  await Promise.all([master.open(), replica.open()]);
  const listeners: TailListener[] = [];
  let [leader, follows] = [master, true];
  const apart = (): number => (leader === replica ? REVISIONS_APART : 0);
  const written = async <T>(write: (store: Store) => Promise<T>): Promise<T> => {
    const answer = await write(leader);
    if (follows && leader === master) await write(replica);
    return answer;
  };
  // What is only read, or asked by whoever works, is asked of the leader.
  const asked = Object.fromEntries(
    Object.entries(master).map(([name, verb]) => [
      name,
      typeof verb === 'function'
        ? (...given: unknown[]) => (leader[name as keyof Store] as (...all: unknown[]) => unknown)(...given)
        : verb,
    ]),
  ) as unknown as Store;
  const store: Store = {
    ...asked,
    exclusive: false,
    open: async () => undefined,
    close: async () => undefined,
    create: (task) => written((each) => each.create(task)),
    renew: (...given) => written((each) => each.renew(...given)),
    append: (commit) => written((each) => each.append({ ...commit, expectedRevision: commit.expectedRevision - apart() })),
    load: async (taskId) => {
      const loaded = await leader.load(taskId);
      return loaded && { ...loaded, revision: loaded.revision + apart() };
    },
    tail(listener) {
      listeners.push(listener);
      const [ofMaster, ofReplica] = [
        master.tail(listener),
        replica.tail({ ...listener, committed: (...commit) => void (leader === replica && listener.committed(...commit)) }),
      ];
      return {
        ...ofMaster,
        watch: async (taskId) => void (await Promise.all([ofMaster.watch(taskId), ofReplica.watch(taskId)])),
        unwatch: (taskId) => [ofMaster, ofReplica].forEach((tail) => tail.unwatch(taskId)),
        close: async () => void (await Promise.all([ofMaster.close(), ofReplica.close()])),
      };
    },
  };
  return {
    store,
    cut: () => void (follows = false),
    promote: () => void (leader = replica),
    interrupt: () => listeners.forEach((listener) => listener.interrupted()),
  };
}

/** Two nodes on such a pair, of which only the first works. */
async function nodeOf(run: Handler, repeatable = true) {
  const { store, ...pair } = await storePair();
  const node = await bridgeOf(inProcess({ work: { run, repeatable } }, { logger }), { store, logger, tasks: { reconcileMs: 50 } });
  return { node, other: await bridgeOf(inProcess({}), { store, logger }), ...pair };
}

/** A promise, and what settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** Says and saves a step; resolves when that is taken. */
async function step(task: Task, n: number): Promise<void> {
  void task.progress(n * 10, { stage: `step ${n}` });
  await task.save(n);
}

describe('work that runs while the store loses what it said', () => {
  /** Four steps, and a rest after each. */
  function steps() {
    const taken = [gate(), gate(), gate(), gate(), gate()];
    const next = [gate(), gate(), gate(), gate(), gate()];
    const run: Handler = async (task) => {
      for (let n = Number(task.saved ?? 0) + 1; n <= 4; n += 1) {
        await step(task, n);
        taken[n]?.open();
        await next[n]?.opened;
      }
      return null;
    };
    return { run, taken, next };
  }

  const stagesOf = (facts: readonly { readonly type: string; readonly payload: unknown }[]) =>
    facts.flatMap(({ type, payload }) => (type === 'TASK_PROGRESS' ? [(payload as { stage: string }).stage] : []));

  test('writes nothing more, and begins again from what the store has saved', async () => {
    const { run, taken, next } = steps();
    const { node, cut, promote } = await nodeOf(run);
    const taskId = await node.start('work');
    await taken[1]?.opened;
    cut();
    next[1]?.open();
    await taken[2]?.opened;
    next[2]?.open();
    await taken[3]?.opened;
    promote();
    for (const each of next) each.open();
    await vi.waitFor(async () => expect((await node.snapshot(taskId)).state).toBe('completed'));
    expect(stagesOf(await node.facts(taskId))).toEqual(['step 1', 'step 2', 'step 3', 'step 4']);
  });

  test('is lost where it may not be repeated', async () => {
    const { run, taken, next } = steps();
    const { node, cut, promote } = await nodeOf(run, false);
    const taskId = await node.start('work');
    await taken[1]?.opened;
    cut();
    next[1]?.open();
    await taken[2]?.opened;
    promote();
    for (const each of next) each.open();
    await vi.waitFor(async () => expect((await node.snapshot(taskId)).state).toBe('failed'));
    const facts = await node.facts(taskId);
    expect(stagesOf(facts)).toEqual(['step 1']);
    expect(facts.at(-1)?.payload).toMatchObject({ code: 'WORK_LOST' });
  });
});

describe('work that was told of an answer which the store has lost', () => {
  /** Asks one question and another, then goes on when it is told to; its result is who answered. */
  function asks() {
    const [answered, mayGoOn] = [gate(), gate()];
    const run: Handler = async (task) => {
      const question = { reasonCode: 'WHICH', allowedActions: ['yes'] };
      const [first, second] = [task.suspend('first', question), task.suspend('second', question)];
      const { clientActionId } = await first;
      answered.open();
      await mayGoOn.opened;
      await step(task, 1);
      await second;
      return clientActionId;
    };
    return { run, answered, mayGoOn };
  }

  test.each([
    ['another', 'b', false],
    ['none, though the task has gone on', undefined, true],
    ['the same', 'a', false],
  ])('goes by what stands there: %s', async (_what, instead, byOther) => {
    const { run, answered, mayGoOn } = asks();
    const { node, other, cut, promote, interrupt } = await nodeOf(run);
    const taskId = await node.start('work');
    const open = async () => (await node.snapshot(taskId)).suspensions;
    await vi.waitFor(async () => expect(await open()).toHaveLength(2));
    const [first = '', second = ''] = (await open()).map(({ suspendId }) => suspendId);
    const answer = (suspendId: string, clientActionId: string) => ({ suspendId, clientActionId, actionType: 'yes' });
    cut();
    await node.act(taskId, answer(first, 'a'));
    await answered.opened;
    promote();
    if (instead !== undefined) await other.act(taskId, answer(first, instead));
    if (instead !== 'a') await other.act(taskId, answer(second, 'c'));
    if (byOther) interrupt();
    mayGoOn.open();
    const accepted = async () =>
      (await node.facts(taskId)).flatMap(({ type, payload }) =>
        type === 'TASK_ACTION_ACCEPTED' ? [(payload as { clientActionId: string }).clientActionId] : [],
      );
    if (instead === undefined) {
      await vi.waitFor(async () => expect((await node.snapshot(taskId)).suspensions.map(({ suspendId }) => suspendId)).toEqual([first]));
      await node.act(taskId, answer(first, 'd'));
    }
    if (instead === 'a') await node.act(taskId, answer(second, 'c'));
    await vi.waitFor(async () => expect((await node.snapshot(taskId)).state).toBe('completed'));
    const facts = await node.facts(taskId);
    const result = (facts.at(-1)?.payload as { result: string }).result;
    expect(result).toBe(instead ?? 'd');
    expect(await accepted()).toContain(result);
  });
});

test('work that waits for a question which the store has lost asks it again, though the log has grown since', async () => {
  const asked = gate();
  const run: Handler = async (task) => {
    await step(task, 1);
    const question = { reasonCode: 'WHICH', allowedActions: ['yes'] };
    const first = task.suspend('first', question);
    await asked.opened;
    const second = task.suspend('second', question);
    await Promise.all([first, second]);
    return 'done';
  };
  const { node, other, cut, promote, interrupt } = await nodeOf(run);
  const taskId = await node.start('work');
  const open = async () => (await node.snapshot(taskId)).suspensions.map(({ suspendId }) => suspendId);
  await vi.waitFor(async () => expect(await open()).toHaveLength(1));
  cut();
  asked.open();
  await vi.waitFor(async () => expect(await open()).toHaveLength(2));
  const [first = '', second = ''] = await open();
  promote();
  // In the place of the second question.
  await other.act(taskId, { suspendId: first, clientActionId: 'a', actionType: 'yes' });
  interrupt();
  await vi.waitFor(async () => expect(await open()).toEqual([second]));
  await node.act(taskId, { suspendId: second, clientActionId: 'b', actionType: 'yes' });
  await vi.waitFor(async () => expect((await node.snapshot(taskId)).state).toBe('completed'));
});
