import { parseEventId } from '../../../machines/wire/index.ts';
import type { Commit, NewTask, Store } from '../../../server/ports/index.ts';
import { commitOf, factOf, legible, noLimit, sampleTask } from './samples.ts';
import { seededRandom, type SeededRandom } from '../suite/seeded-random.ts';
import { StoreModel } from './store-model.ts';
import type { CaseGroup } from '../suite/case.ts';
import { same } from '../suite/claim.ts';

const TASKS = 200;
const ROUNDS = 30;
const WRITES_A_ROUND = 40;

/** Random writes to a few hundred tasks, many at once, against {@link StoreModel}. */
export const walkCases: CaseGroup<Store> = (store) => {
  const walk = async (seed: number): Promise<void> => {
    const random = seededRandom(seed);
    const model = new StoreModel();
    const tasks = Array.from({ length: TASKS }, () => sampleTask({ dueAt: someTime(random) }));
    for (let round = 0; round < ROUNDS; round += 1) {
      // At once, but each to a task of its own, so that the answers do not depend on who comes first.
      const chosen = new Set(Array.from({ length: WRITES_A_ROUND }, () => random.pick(tasks)));
      await Promise.all([...chosen].map((task) => writeToBoth(store(), model, task, random)));
      await expectSame(store(), model, [random.pick(tasks), random.pick(tasks)]);
    }
    await expectSame(store(), model, tasks);
  };
  return Object.fromEntries([1, 2, 3].map((seed) => [`answers like the model, with seed ${seed}`, () => walk(seed)]));
};

async function writeToBoth(store: Store, model: StoreModel, task: NewTask, random: SeededRandom): Promise<void> {
  const { taskId, requestKey } = task;
  const revision = model.revision(taskId) ?? 1;
  const roll = random.below(100);
  if (model.revision(taskId) === undefined || roll < 5) {
    const expected = model.create(task);
    same(await store.create(task), expected);
  } else if (roll < 10) {
    const expectedRevision = revision + random.below(2);
    const expected = model.remove(taskId, expectedRevision);
    same(await store.remove(taskId, requestKey, expectedRevision), expected);
  } else {
    const commit = someCommit(model, taskId, roll < 20 ? revision - 1 : revision, random);
    const expected = model.append(commit);
    same(await store.append(commit), expected);
  }
}

function someCommit(model: StoreModel, taskId: string, revision: number, random: SeededRandom): Commit {
  const log = model.log(taskId);
  const last = log?.lastEventId ? (parseEventId(log.lastEventId)?.n ?? 0) : 0;
  const count = log?.ended ? 0 : random.below(4);
  const facts = Array.from({ length: count }, (_, i) =>
    factOf(taskId, last + 1 + i, { ms: random.below(2e12), message: 'ä🌉'.repeat(random.below(200)) }),
  );
  return commitOf(taskId, revision, {
    facts,
    ended: count > 0 && random.below(20) === 0,
    fields: someValues(random),
    sideValues: someValues(random),
    dueAt: someTime(random),
    firstRetained: random.below(4) === 0 ? 1 + random.below(last + count + 1) : 1,
  });
}

function someValues(random: SeededRandom): Record<string, string> {
  return Object.fromEntries(Array.from({ length: random.below(3) }, () => [`name-${random.below(6)}`, `{"value":${random.below(1e6)}}`]));
}

function someTime(random: SeededRandom): number | null {
  return random.below(4) === 0 ? null : random.below(50);
}

async function expectSame(store: Store, model: StoreModel, tasks: readonly NewTask[]): Promise<void> {
  const names = Array.from({ length: 6 }, (_, i) => `name-${i}`);
  for (const { taskId } of tasks) {
    const revision = model.revision(taskId);
    same(await store.load(taskId), revision === undefined ? undefined : { revision, fields: model.fields(taskId) });
    same(
      await store.sideValues(taskId, names),
      names.map((name) => model.kept(taskId)[name]),
    );
    const [page, log] = [await store.read(taskId, 1, noLimit), model.log(taskId)];
    same(page && { ...page, entries: legible(page.entries) }, log && { ...log, entries: legible(log.entries) });
  }
  same(
    await store.lastEventIds(tasks.map(({ taskId }) => taskId)),
    tasks.map(({ taskId }) => model.log(taskId)?.lastEventId ?? null),
  );
  for (const until of [0, 10, 25, 50]) same(await store.due(until, TASKS), model.due(until));
}
