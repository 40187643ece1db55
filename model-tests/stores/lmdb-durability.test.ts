import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportRows } from '../../adapters/lmdb/check.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import type { Plan } from '../../server/ports/index.ts';
import { commitOf, factOf, factsOf, heldOf, legible, look, readAll, sampleTask, takeAll } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChild, startChildOnSmallDisk } from './children/child.ts';
import { HOLDER, planOf, STATES, stateOf } from './children/plans.ts';

describe('an LMDB store on disk', () => {
  let path: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('durable'));
  });
  afterEach(() => remove());

  it('has everything that was acknowledged, and nothing by halves, each time its process is killed', async () => {
    const taskIds = Array.from({ length: 5 }, () => sampleTask().taskId);
    const store = lmdbStore({ path });
    await store.open();
    for (const taskId of taskIds) await store.create({ ...sampleTask({ state: stateOf(1) }), taskId });
    await store.close();

    const acknowledged = new Map(taskIds.map((taskId) => [taskId, 1]));
    for (const linesUntilKill of [1, 37, 400]) {
      const child = startChild('appends', path, ...taskIds);
      const lines: string[] = [];
      while (lines.length < linesUntilKill) lines.push(await child.nextLine());
      lines.push(...(await child.killHard()));
      for (const line of lines) {
        const [taskId = '', revision] = line.split(' ');
        acknowledged.set(taskId, Number(revision));
      }

      const again = lmdbStore({ path });
      await again.open();
      for (const [taskId, revision] of acknowledged) {
        const found = (await again.load(taskId))?.revision ?? 0;
        // One commit may have been written whose answer did not get out.
        expect([revision, revision + 1]).toContain(found);
        await expectWhole(again, taskId, found);
      }
      await expectPlans(again, taskIds);
      await expectStates(again, taskIds);
      await again.close();
    }
  });

  it('has of each owner what he has, each time its process is killed: no name or state without its task, and no task without', async () => {
    const created = new Map(['one', 'two', 'three'].map((owner) => [owner, 0]));
    const before = new Map(created);
    for (const linesUntilKill of [1, 30, 200]) {
      const child = startChild('creation-and-removal', path, ...created.keys());
      const lines: string[] = [];
      while (lines.length < linesUntilKill) lines.push(await child.nextLine());
      lines.push(...(await child.killHard()));
      for (const [owner, count] of before) created.set(owner, count);
      for (const line of lines) {
        const [owner = '', count] = line.split(' ');
        created.set(owner, (before.get(owner) ?? 0) + Number(count));
      }

      expect(await reportRows(path)).toEqual([expect.stringMatching(/ is whole: \d+ tasks, 0 facts\.$/)]);
      const store = lmdbStore({ path });
      await store.open();
      for (const [owner, count] of created) {
        const { tasks, bytes } = (await store.shares(owner)).shares;
        // One may have been created whose answer did not get out.
        expect([count, count + 1]).toContain(tasks);
        expect(bytes).toBe(10 * tasks);
        before.set(owner, tasks);
      }
      await store.close();
    }
  });

  it('writes many commits with few flushes', async () => {
    const store = lmdbStore({ path });
    await store.open();
    const tasks = Array.from({ length: 500 }, () => sampleTask());
    await Promise.all(tasks.map((task) => store.create(task)));
    const before = await transactions(path);
    const rounds = Array.from({ length: 4 }, (_, i) => i + 1);
    await Promise.all(
      tasks.map(async ({ taskId }) => {
        for (const n of rounds) await store.append(commitOf(taskId, n, { facts: [factOf(taskId, n)] }));
      }),
    );
    // 2000 commits; 256 share a flush at most.
    expect((await transactions(path)) - before).toBeLessThanOrEqual(20);
    await store.close();
  });

  it('refuses what would pass mapBytesMax, says so, and goes on with what does not', async () => {
    const store = lmdbStore({ path, mapBytesMax: 2 * 1024 ** 2 });
    await store.open();
    const task = sampleTask();
    await store.create(task);
    const message = 'x'.repeat(300_000);
    let revision = 1;
    const fill = async (): Promise<unknown> => {
      for (; revision < 20; revision += 1)
        await store.append(commitOf(task.taskId, revision, { facts: [factOf(task.taskId, revision, { message })] }));
      return 'never full';
    };
    await expect(fill()).rejects.toThrow(/full.*mapBytesMax \(2097152\)/);
    expect(revision).toBeGreaterThan(4);
    expect((await readAll(store, task.taskId)).entries).toHaveLength(revision - 1);
    expect(await store.append(commitOf(task.taskId, revision, { fields: { ledger: 'x' }, firstRetained: revision }))).toBe('committed');
    expect(
      await store.append(
        commitOf(task.taskId, revision + 1, { facts: [factOf(task.taskId, revision, { message })], firstRetained: revision }),
      ),
    ).toBe('committed');
    await store.close();
  });

  it('refuses one commit of those that wait together, and writes the others', async () => {
    const store = lmdbStore({ path, mapBytesMax: 1024 ** 2 });
    await store.open();
    const tasks = Array.from({ length: 3 }, () => sampleTask());
    for (const task of tasks) await store.create(task);
    const [one, two, three] = tasks.map(({ taskId }) => taskId) as [string, string, string];
    const answers = await Promise.allSettled([
      store.append(commitOf(one, 1, { facts: [factOf(one, 1)] })),
      store.append(commitOf(two, 1, { facts: [factOf(two, 1, { message: 'x'.repeat(1_100_000) })] })),
      store.append(commitOf(three, 1, { facts: [factOf(three, 5)] })),
      store.append(commitOf(three, 1, { facts: [factOf(three, 1)] })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(await Promise.all([one, two, three].map(async (id) => (await readAll(store, id)).entries.length))).toEqual([1, 0, 1]);
    await store.close();
  });

  it.skipIf(process.platform === 'win32')(
    'rejects what the disk does not take, keeps what it took, and goes on when there is room',
    async () => {
      const child = startChildOnSmallDisk(1200, 'fills', path);
      let line = await child.nextLine();
      let committed = 0;
      for (; line === 'committed'; line = await child.nextLine()) committed += 1;
      expect(committed).toBeGreaterThan(0);
      expect(line).toMatch(/^rejected Error: The LMDB store at .* could not write: /);
      expect([await child.nextLine(), await child.nextLine()]).toEqual([`revision ${committed + 1}`, 'after trimming committed']);
      await child.killHard();

      const store = lmdbStore({ path });
      await store.open();
      const [taskId = ''] = (await store.take(look())).due;
      expect(await store.load(taskId)).toMatchObject({ revision: committed + 2 });
      expect(await store.read(taskId, 1, { facts: 1, bytes: 0 })).toMatchObject({ lastEventId: factOf(taskId, committed).eventId });
      await store.close();
    },
  );

  it('refuses a mapBytesMax that leaves no room for a fact', () => {
    expect(() => lmdbStore({ path, mapBytesMax: 1000 })).toThrow('mapBytesMax (1000)');
    expect(() => lmdbStore({ path, mapBytesMax: Number.NaN })).toThrow('mapBytesMax');
  });
});

async function expectWhole(store: ReturnType<typeof lmdbStore>, taskId: string, revision: number): Promise<void> {
  const commits = revision - 1;
  expect(legible((await readAll(store, taskId)).entries)).toEqual(legible(factsOf(taskId, 1, 2 * commits)));
  expect((await store.load(taskId))?.fields.head).toBe(commits === 0 ? '{"state":"accepted"}' : String(commits));
  const names = Array.from({ length: commits + 1 }, (_, i) => `kept-${i + 1}`);
  expect(await store.sideValues(taskId, names)).toEqual(names.map((_, i) => (i < commits ? String(i + 1) : undefined)));
}

/** Each task is found for what its last commit planned, and for nothing else. */
async function expectPlans(store: ReturnType<typeof lmdbStore>, taskIds: readonly string[]): Promise<void> {
  const planned = await Promise.all(taskIds.map(async (taskId) => ({ taskId, plan: planOf((await store.load(taskId))?.revision ?? 0) })));
  const idsWhere = (holds: (plan: Plan) => boolean): string[] =>
    planned.flatMap(({ taskId, plan }) => (holds(plan) ? [taskId] : [])).sort();
  expect(await heldOf(store, HOLDER)).toEqual(idsWhere(({ work }) => work !== null && 'heldBy' in work));
  const { due, ready } = await takeAll(store);
  expect(due.toSorted()).toEqual(idsWhere(({ wakeAt }) => wakeAt !== null));
  expect(ready.toSorted()).toEqual(idsWhere(({ wakeAt, work }) => wakeAt === null && work !== null && 'readyAt' in work));
}

/** Each task is listed in the state of its last commit, once, and has the name that it was given. */
async function expectStates(store: ReturnType<typeof lmdbStore>, taskIds: readonly string[]): Promise<void> {
  const states = await Promise.all(taskIds.map(async (taskId) => [taskId, stateOf((await store.load(taskId))?.revision ?? 0)] as const));
  for (const state of STATES) {
    const listed = (await store.inState(state, 'sample', 100)).map(({ taskId }) => taskId);
    expect(listed.toSorted()).toEqual(states.flatMap(([taskId, of]) => (of === state ? [taskId] : [])).sort());
  }
  const names = await store.names('somebody', 100);
  const glances = await store.glance(
    names.map(({ requestKey }) => requestKey),
    [],
  );
  expect(glances.map((glance) => glance?.taskId).sort()).toEqual(taskIds.toSorted());
}

/** How many transactions the file has seen. */
async function transactions(path: string): Promise<number> {
  const rows = open({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
  const { lastTxnId } = rows.getStats() as { lastTxnId: number };
  await rows.close();
  return lastTxnId;
}
