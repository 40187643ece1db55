import { parseEventId } from 'taskbridge/wire';
import type { Commit, NewTask, Plan, PlannedWork, Store } from 'taskbridge/server/store';
import { commitOf, factOf, heldOf, legible, leasesOf, look, noLimit, sampleTask } from './samples.ts';
import { seededRandom, type SeededRandom } from '../suite/seeded-random.ts';
import { StoreModel } from './store-model.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, same } from '../suite/claim.ts';

const TASKS = 200;
const ROUNDS = 30;
const WRITES_A_ROUND = 40;
/** A time that does not come. */
const NEVER = 8e12;
const TYPES = ['sample', 'other', 'nobody-s'];
/** The first two are renewed, the others only ever hold. */
const NODES = ['node-a', 'node-b', 'node-c', 'node-d'];
const RENEWED = 2;

/** Random writes to a few hundred tasks, many at once, against {@link StoreModel}. */
export const walkCases: CaseGroup<Store> = (store) => {
  const walk = async (seed: number): Promise<void> => {
    const random = seededRandom(seed);
    const model = new StoreModel();
    const tasks = Array.from({ length: TASKS }, () =>
      sampleTask({ plan: somePlan(random), taskType: random.pick(TYPES), owner: `owner-${random.below(9)}` }),
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      // At once, but each to a task of its own, so that the answers do not depend on who comes first.
      const chosen = new Set(Array.from({ length: WRITES_A_ROUND }, () => random.pick(tasks)));
      await Promise.all([...chosen].map((task) => writeToBoth(store(), model, task, random)));
      await renewInBoth(store(), model, round);
      await takeFromBoth(store(), model, random);
      await expectSame(store(), model, [random.pick(tasks), random.pick(tasks)]);
    }
    await expectSame(store(), model, tasks);
    await expectAllTaken(store(), model);
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
    const commit = {
      ...someCommit(model, taskId, roll < 20 ? revision - 1 : revision, random),
      ...(await someLease(store, model, taskId, random)),
    };
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
    plan: somePlan(random),
    firstRetained: random.below(4) === 0 ? 1 + random.below(last + count + 1) : 1,
  });
}

function someValues(random: SeededRandom): Record<string, string> {
  return Object.fromEntries(Array.from({ length: random.below(3) }, () => [`name-${random.below(6)}`, `{"value":${random.below(1e6)}}`]));
}

function somePlan(random: SeededRandom): Plan {
  const work = random.pick<() => PlannedWork | null>([
    () => null,
    () => ({ readyAt: someTime(random) }),
    () => ({ heldBy: random.pick(NODES) }),
    () => ({ heldBy: random.pick(NODES) }),
    () => ({ heldBy: random.pick(NODES), until: someTime(random) }),
  ]);
  return { wakeAt: random.below(2) === 0 ? null : someTime(random), work: work() };
}

/** Long ago, or never. */
function someTime(random: SeededRandom): number {
  return random.below(3) === 0 ? NEVER + random.below(50) : random.below(50);
}

/** Now and then, for a task that is held, the lease of its holder, as it is or as it was. */
async function someLease(store: Store, model: StoreModel, taskId: string, random: SeededRandom): Promise<Pick<Commit, 'ifLease'>> {
  const holder = model.holder(taskId);
  if (holder === undefined || random.below(2) === 0) return {};
  const [lease] = await leasesOf(store, holder, taskId);
  holds(lease !== undefined, `there is no lease of ${holder}, though it holds ${taskId}`);
  return { ifLease: random.below(4) === 0 ? { ...lease, beat: lease.beat + 1 } : lease };
}

async function renewInBoth(store: Store, model: StoreModel, round: number): Promise<void> {
  if (store.exclusive) return;
  for (const node of NODES.slice(0, RENEWED)) {
    const renewals = await store.renew(node, round, round + 1);
    same(new Set(renewals.map(({ outcome }) => outcome)), new Set(['renewed']));
    model.renew(node, round + 1);
  }
}

/** One look, whose answer is one of those that are right. */
async function takeFromBoth(store: Store, model: StoreModel, random: SeededRandom): Promise<void> {
  const request = look({
    types: random.below(5) === 0 ? 'any' : TYPES.slice(0, random.below(3)),
    dueMax: 1 + random.below(20),
    readyMax: random.below(20),
  });
  const ripe = model.ripe(NEVER - 1, request.types);
  const taken = await store.take(request);
  const { due, ready } = taken;
  holds(due.length <= request.dueMax && ready.length <= request.readyMax, 'more was given than asked for');
  same(new Set([...due, ...ready]).size, due.length + ready.length, 'the number of tasks that were given');
  same([due.filter((taskId) => !ripe.due.has(taskId)), ready.filter((taskId) => !ripe.ready.has(taskId))], [[], []], 'what is not ripe');
  for (const taskId of ready) ripe.due.delete(taskId);
  for (const taskId of due) ripe.ready.delete(taskId);
  holds(due.length > 0 || ripe.due.size === 0, `${ripe.due.size} tasks are due, and none is given`);
  holds(ready.length > 0 || ripe.ready.size === 0 || request.readyMax === 0, `the work of ${ripe.ready.size} is wanted, and none is given`);
  model.hide(taken);
}

async function expectAllTaken(store: Store, model: StoreModel): Promise<void> {
  const ripe = model.ripe(NEVER - 1, TYPES);
  const expected = new Set([...ripe.due, ...ripe.ready]);
  const seen: string[] = [];
  while (seen.length < expected.size) {
    const { due, ready } = await store.take(look({ types: TYPES, dueMax: 9, readyMax: 9 }));
    holds(due.length + ready.length > 0, `nothing is given, though ${expected.size - seen.length} are ripe`);
    seen.push(...due, ...ready);
  }
  same(seen.sort(), [...expected].sort());
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
  for (const node of NODES) same(await heldOf(store, node, 10), model.held(node));
}
