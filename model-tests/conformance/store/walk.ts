import { describe, expect, it } from 'vitest';
import { parseEventId } from '../../../machines/index.ts';
import type { Commit, NewTask, Store } from '../../../server/ports/index.ts';
import { commitOf, factOf, legible, noLimit, sampleTask } from './samples.ts';
import { seededDice, type Dice } from './seeded-dice.ts';
import { StoreModel } from './store-model.ts';

const TASKS = 200;
const ROUNDS = 30;
const WRITES_A_ROUND = 40;

/** Random writes to a few hundred tasks, many at once, against {@link StoreModel}. */
export function describeWalk(store: () => Store): void {
  describe('a walk', () => {
    it.each([1, 2, 3])('answers like the model, with seed %i', async (seed) => {
      const dice = seededDice(seed);
      const model = new StoreModel();
      const tasks = Array.from({ length: TASKS }, () => sampleTask({ dueAt: someTime(dice) }));
      for (let round = 0; round < ROUNDS; round += 1) {
        // At once, but each to a task of its own, so that the answers do not depend on who comes first.
        const chosen = new Set(Array.from({ length: WRITES_A_ROUND }, () => dice.pick(tasks)));
        await Promise.all([...chosen].map((task) => writeToBoth(store(), model, task, dice)));
        await expectSame(store(), model, [dice.pick(tasks), dice.pick(tasks)]);
      }
      await expectSame(store(), model, tasks);
    });
  });
}

async function writeToBoth(store: Store, model: StoreModel, task: NewTask, dice: Dice): Promise<void> {
  const { taskId, requestKey } = task;
  const revision = model.revision(taskId) ?? 1;
  const roll = dice.below(100);
  if (model.revision(taskId) === undefined || roll < 5) {
    const expected = model.create(task);
    expect(await store.create(task)).toEqual(expected);
  } else if (roll < 10) {
    const expectedRevision = revision + dice.below(2);
    const expected = model.remove(taskId, expectedRevision);
    expect(await store.remove(taskId, requestKey, expectedRevision)).toBe(expected);
  } else {
    const commit = someCommit(model, taskId, roll < 20 ? revision - 1 : revision, dice);
    const expected = model.append(commit);
    expect(await store.append(commit)).toBe(expected);
  }
}

function someCommit(model: StoreModel, taskId: string, revision: number, dice: Dice): Commit {
  const log = model.log(taskId);
  const last = log?.lastEventId ? (parseEventId(log.lastEventId)?.n ?? 0) : 0;
  const count = log?.ended ? 0 : dice.below(4);
  const facts = Array.from({ length: count }, (_, i) =>
    factOf(taskId, last + 1 + i, { ms: dice.below(2e12), message: 'ä🌉'.repeat(dice.below(200)) }),
  );
  return commitOf(taskId, revision, {
    facts,
    ended: count > 0 && dice.below(20) === 0,
    fields: someValues(dice),
    kept: someValues(dice),
    dueAt: someTime(dice),
    firstRetained: dice.below(4) === 0 ? 1 + dice.below(last + count + 1) : 1,
  });
}

function someValues(dice: Dice): Record<string, string> {
  return Object.fromEntries(Array.from({ length: dice.below(3) }, () => [`name-${dice.below(6)}`, `{"value":${dice.below(1e6)}}`]));
}

function someTime(dice: Dice): number | null {
  return dice.below(4) === 0 ? null : dice.below(50);
}

async function expectSame(store: Store, model: StoreModel, tasks: readonly NewTask[]): Promise<void> {
  const names = Array.from({ length: 6 }, (_, i) => `name-${i}`);
  for (const { taskId } of tasks) {
    const revision = model.revision(taskId);
    expect(await store.load(taskId)).toEqual(revision === undefined ? undefined : { revision, fields: model.fields(taskId) });
    expect(await store.kept(taskId, names)).toEqual(names.map((name) => model.kept(taskId)[name]));
    const [page, log] = [await store.read(taskId, 1, noLimit), model.log(taskId)];
    expect(page && { ...page, entries: legible(page.entries) }).toEqual(log && { ...log, entries: legible(log.entries) });
  }
  expect(await store.lastEventIds(tasks.map(({ taskId }) => taskId))).toEqual(
    tasks.map(({ taskId }) => model.log(taskId)?.lastEventId ?? null),
  );
  for (const until of [0, 10, 25, 50]) expect(await store.due(until, TASKS)).toEqual(model.due(until));
}
