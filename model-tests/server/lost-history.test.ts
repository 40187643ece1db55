import { describe, expect, test, vi } from 'vitest';
import { createMemory, memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { TaskRow } from '../../adapters/memory/memory.ts';
import { setState } from '../../adapters/memory/states.ts';
import { setPlan } from '../../adapters/memory/work.ts';
import { inProcess, type Handler, type Task } from '../../adapters/in-process/index.ts';
import type { Store, TailListener } from '../../server/ports/index.ts';
import { bridgeOf } from './bridge-of.ts';

const logger = { warn: () => undefined, error: () => undefined };
const kept = ['fields', 'sideValues', 'plan', 'log', 'firstRetained', 'lastEventId', 'ended', 'state'] as const;
type Kept = Pick<TaskRow, (typeof kept)[number]>;

const copyOf = ({ fields, sideValues, log, ...row }: Kept): Kept => ({
  ...Object.fromEntries(kept.map((name) => [name, (row as Partial<Kept>)[name]])),
  // Named above, but these are copied.
  ...({ fields: new Map(fields), sideValues: new Map(sideValues), log: [...log] } as Kept),
});

function rowOf(memory: Memory, taskId: string): TaskRow {
  const row = memory.tasks.get(taskId);
  if (!row) throw new Error(`There is no task ${taskId}.`);
  return row;
}

/** What a store had of a task; called, it has that again, as a replica that was promoted too early. */
function keepTask(memory: Memory, taskId: string): () => void {
  const backup = copyOf(rowOf(memory, taskId));
  return () => {
    const row = rowOf(memory, taskId);
    const { log, plan, state, ...rest } = copyOf(backup);
    // A mark of a history that was lost is never one of the history that follows it.
    Object.assign(row, rest, { revision: row.revision + 1000 });
    setPlan(memory, row, plan, Date.now());
    setState(memory, row, state, Date.now());
    row.log.splice(0, row.log.length, ...log);
  };
}

/** A node on a store that others share. */
async function nodeOf(run: Handler, repeatable = true) {
  const memory = createMemory();
  const plain = memoryStore({ memory });
  await plain.open();
  const listeners: TailListener[] = [];
  const store: Store = {
    ...plain,
    exclusive: false,
    open: async () => undefined,
    tail: (listener) => {
      listeners.push(listener);
      return plain.tail(listener);
    },
  };
  const node = await bridgeOf(inProcess({ work: { run, repeatable } }, { logger }), { store, logger, tasks: { reconcileMs: 50 } });
  const other = await bridgeOf(inProcess({}), { store: { ...plain, exclusive: false, open: async () => undefined }, logger });
  return {
    node,
    other,
    keep: (taskId: string) => keepTask(memory, taskId),
    interrupt: () => listeners.forEach((listener) => listener.interrupted()),
  };
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
    const { node, keep } = await nodeOf(run);
    const taskId = await node.start('work');
    await taken[1]?.opened;
    const goBack = keep(taskId);
    next[1]?.open();
    await taken[2]?.opened;
    next[2]?.open();
    await taken[3]?.opened;
    goBack();
    for (const each of next) each.open();
    await vi.waitFor(async () => expect((await node.snapshot(taskId)).state).toBe('completed'));
    expect(stagesOf(await node.facts(taskId))).toEqual(['step 1', 'step 2', 'step 3', 'step 4']);
  });

  test('is lost where it may not be repeated', async () => {
    const { run, taken, next } = steps();
    const { node, keep } = await nodeOf(run, false);
    const taskId = await node.start('work');
    await taken[1]?.opened;
    const goBack = keep(taskId);
    next[1]?.open();
    await taken[2]?.opened;
    goBack();
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
    const { node, other, keep, interrupt } = await nodeOf(run);
    const taskId = await node.start('work');
    const open = async () => (await node.snapshot(taskId)).suspensions;
    await vi.waitFor(async () => expect(await open()).toHaveLength(2));
    const [first = '', second = ''] = (await open()).map(({ suspendId }) => suspendId);
    const answer = (suspendId: string, clientActionId: string) => ({ suspendId, clientActionId, actionType: 'yes' });
    const goBack = keep(taskId);
    await node.act(taskId, answer(first, 'a'));
    await answered.opened;
    goBack();
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
  const { node, other, keep, interrupt } = await nodeOf(run);
  const taskId = await node.start('work');
  const open = async () => (await node.snapshot(taskId)).suspensions.map(({ suspendId }) => suspendId);
  await vi.waitFor(async () => expect(await open()).toHaveLength(1));
  const goBack = keep(taskId);
  asked.open();
  await vi.waitFor(async () => expect(await open()).toHaveLength(2));
  const [first = '', second = ''] = await open();
  goBack();
  // In the place of the second question.
  await other.act(taskId, { suspendId: first, clientActionId: 'a', actionType: 'yes' });
  interrupt();
  await vi.waitFor(async () => expect(await open()).toEqual([second]));
  await node.act(taskId, { suspendId: second, clientActionId: 'b', actionType: 'yes' });
  await vi.waitFor(async () => expect((await node.snapshot(taskId)).state).toBe('completed'));
});
