import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Hiding } from '../../adapters/lmdb/hiding.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { atRest, commitOf, heldBy, heldOf, look, sampleTask, takeAll, wakes, wanted } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The end of a lease that 0.1.0 took in a store of one process. */
const FOREVER = 8_640_000_000_000_000;
const LATER = Date.now() + 1e9;

type Key = (string | number)[];

describe('an LMDB store', () => {
  let path: string;
  let remove: () => Promise<void>;
  let store: ReturnType<typeof lmdbStore>;

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('work'));
    store = lmdbStore({ path });
  });
  afterEach(async () => {
    await store.close();
    await remove();
  });

  async function reopen(): Promise<void> {
    await store.close();
    store = lmdbStore({ path });
    await store.open();
  }

  /** The rows of the folder, as another process sees them. */
  function openRows() {
    return open<Buffer, Key>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
  }

  async function keys(kind: string): Promise<Key[]> {
    const rows = openRows();
    const found = [...rows.getKeys()].filter(([first]) => first === kind);
    await rows.close();
    return found;
  }

  /** Writes tasks as 0.1.0 did, into a store that is closed. */
  async function writeOld(
    tasks: readonly { readonly dueAt: number | null; readonly ended?: boolean; readonly about?: object }[],
  ): Promise<string[]> {
    const rows = openRows();
    const ids = rows.transactionSync(() =>
      tasks.map(({ dueAt, ended = false, about = { taskType: 'sample', owner: 'somebody' } }) => {
        const { taskId, requestKey } = sampleTask();
        const head = { requestKey, revision: 1, dueAt, firstRetained: 1, lastEventId: null, ended };
        rows.putSync(['t', taskId, 'h'], Buffer.from(JSON.stringify(head)));
        rows.putSync(['t', taskId, 'f', 'about'], Buffer.from(JSON.stringify(about)));
        rows.putSync(['r', requestKey], Buffer.from(taskId));
        if (dueAt !== null) rows.putSync(['d', dueAt, taskId], Buffer.alloc(1));
        return taskId;
      }),
    );
    await rows.close();
    return ids;
  }

  describe('of 0.1.0', () => {
    it('shows each unfinished task once in each process, those first that were held, and ended ones when they are due', async () => {
      const [held, asking, later, ended, over, resting] = await writeOld([
        { dueAt: FOREVER },
        { dueAt: LATER },
        { dueAt: LATER + 1 },
        { dueAt: LATER + 2, ended: true },
        { dueAt: 5, ended: true },
        { dueAt: null },
      ]);
      for (let opened = 0; opened < 2; opened += 1) {
        await reopen();
        expect(await store.take(look({ dueMax: 2, hideMs: 0 }))).toEqual({ due: [over, held], ready: [] });
        expect((await store.take(look())).due).toEqual([over, later, asking]);
        expect((await store.take(look())).due).toEqual([]);
      }
      expect([await store.load(ended ?? ''), await store.load(resting ?? '')]).toMatchObject([{ revision: 1 }, { revision: 1 }]);
    });

    it('finds what was held behind thousands that have ended', async () => {
      await writeOld(Array.from({ length: 2500 }, (_, i) => ({ dueAt: LATER + i, ended: true })));
      const [asking] = await writeOld([{ dueAt: LATER - 1 }]);
      await reopen();
      expect(await store.take(look())).toEqual({ due: [asking], ready: [] });
    });

    it('writes a task anew with its next commit, and knows whose it is and of which type', async () => {
      const [queued, held, strange] = (await writeOld([{ dueAt: FOREVER }, { dueAt: FOREVER }, { dueAt: 1, about: { v: 9 } }])) as [
        string,
        string,
        string,
      ];
      await reopen();
      await store.append(commitOf(queued, 1, { plan: wanted(1) }));
      await store.append(commitOf(held, 1, { plan: heldBy('a-node') }));
      expect(await heldOf(store, 'a-node')).toEqual([held]);
      expect(await store.take(look({ dueMax: 1 }))).toEqual({ due: [strange], ready: [queued] });
      // Whoever made it did not say what it is: it is found by all who look.
      await store.append(commitOf(strange, 1, { plan: wanted(1) }));
      expect(await store.take(look())).toEqual({ due: [strange], ready: [] });
      expect(await keys('d')).toEqual([]);
      expect((await keys('y')).map(([, type]) => type)).toEqual(['sample']);
    });

    it('takes a lease of 0.1.0 that never ends for over, also where a commit planned it on', async () => {
      await store.open();
      const task = sampleTask({ plan: { wakeAt: LATER, work: { heldBy: 'of a process that is gone', until: FOREVER } } });
      await store.create(task);
      expect(await store.take(look())).toEqual({ due: [task.taskId], ready: [] });
    });

    it('gives a task its name with its next commit, at the time when it was created, and its state when that is said', async () => {
      const about = { taskType: 'sample', owner: 'somebody', createdAt: 77 };
      const [first = '', second = ''] = await writeOld([
        { dueAt: FOREVER, about },
        { dueAt: FOREVER, about },
      ]);
      await reopen();
      expect([await store.names('somebody', 9), await store.counts()]).toEqual([[], []]);
      await store.append(commitOf(first, 1, { plan: wanted(1) }));
      const [name, ...others] = await store.names('somebody', 9);
      expect([name?.at, others]).toEqual([77, []]);
      const glance = { taskId: first, fields: {}, plan: wanted(1) };
      expect(await store.glance([name?.requestKey ?? ''], [])).toEqual([{ ...glance, state: undefined }]);
      await store.append(commitOf(first, 2, { plan: wanted(1), state: 'RUNNING' }));
      expect(await store.glance([name?.requestKey ?? ''], [])).toEqual([{ ...glance, state: 'RUNNING' }]);
      expect(await store.counts()).toEqual([{ state: 'RUNNING', taskType: 'sample', count: 1 }]);
      // One that somebody named before its first commit keeps that name.
      const [, secondKey = ''] = (await keys('r')).map(([, key]) => String(key)).toSorted((a) => (a === name?.requestKey ? -1 : 1));
      await store.count([{ owner: 'somebody', by: {}, name: { requestKey: secondKey, at: 78 } }]);
      await store.append(commitOf(second, 1, { state: 'ASKED' }));
      expect(await store.names('somebody', 9)).toEqual([{ requestKey: secondKey, at: 78 }, name]);
      expect((await store.owners(9)).owners).toEqual(['somebody']);
    });

    it('forgets the name of a task that nobody wrote anew when it goes', async () => {
      const [taskId = ''] = await writeOld([{ dueAt: 5, ended: true }]);
      await reopen();
      const [[, requestKey] = []] = await keys('r');
      await store.count([{ owner: 'somebody', by: {}, name: { requestKey: String(requestKey), at: 5 } }]);
      expect(await store.remove(taskId, String(requestKey), 1)).toBe('removed');
      expect([await store.names('somebody', 9), await store.owners(9)]).toEqual([[], { owners: [], next: undefined }]);
    });

    it('removes it with all its rows', async () => {
      const [taskId = ''] = await writeOld([{ dueAt: 5, ended: true }]);
      await reopen();
      const [[, requestKey] = []] = await keys('r');
      expect(await store.remove(taskId, String(requestKey), 1)).toBe('removed');
      expect([await keys('d'), await keys('t'), await keys('r')]).toEqual([[], [], []]);
    });
  });

  describe('with its layout', () => {
    it('says so in a row, and refuses one of a newer release without touching it', async () => {
      await store.open();
      await store.close();
      const rows = openRows();
      expect(String(rows.get(['v']))).toBe('{"v":2}');
      await rows.put(['v'], Buffer.from('{"v":3}'));
      await rows.close();
      for (let i = 0; i < 2; i += 1) await expect(store.open()).rejects.toThrow(`The LMDB store at ${path} has layout 3`);
      expect(await keys('o')).toEqual([]);
    });

    it('leaves nothing behind of tasks that are gone', async () => {
      await store.open();
      const tasks = [wanted(1), wakes(1), heldBy('a-node'), { wakeAt: 1, work: { readyAt: LATER } }, wanted(2)].map((plan) =>
        sampleTask({ plan }),
      );
      for (const task of tasks) await store.create(task);
      await takeAll(store);
      for (const { taskId, requestKey } of tasks) expect(await store.remove(taskId, requestKey, 1)).toBe('removed');
      await store.close();
      const rows = openRows();
      expect([...rows.getKeys()].flat()).toEqual(['v']);
      await rows.close();
    });
  });

  describe('gives turns', () => {
    const wantedBy = async (owner: string, taskType = 'sample', readyAt = 1): Promise<string> => {
      const task = sampleTask({ owner, taskType, plan: wanted(readyAt) });
      await store.create(task);
      return task.taskId;
    };
    const ready = async (readyMax: number, types: readonly string[] | 'any' = ['sample']): Promise<readonly string[]> =>
      (await store.take(look({ types, readyMax }))).ready;

    it('that outlive the process, and a newcomer has his behind those before him', async () => {
      await store.open();
      const many = new Set<string>();
      for (let i = 0; i < 9; i += 1) many.add(await wantedBy('many'));
      const [first = ''] = await ready(1);
      await store.append(commitOf(first, 1, { plan: atRest }));
      await reopen();
      const [second = ''] = await ready(1);
      expect(many.has(second)).toBe(true);
      const newcomer = await wantedBy('new');
      expect(await ready(2)).toContain(newcomer);
    });

    it('that a commit does not take away from work that waits as before', async () => {
      await store.open();
      const [first, second] = [await wantedBy('one'), await wantedBy('one')];
      expect(await ready(0)).toEqual([]);
      await store.append(commitOf(first, 1, { plan: wanted(1) }));
      await wantedBy('one');
      expect([...(await ready(2))].sort()).toEqual([first, second].sort());
    });

    it('behind thousands of somebody who has enough, and to him without taking all when he is let in again', async () => {
      await store.open();
      const [full, kinds] = [new Set<string>(), new Map<string, string>()];
      const note = async (owner: string): Promise<string> => {
        const id = await wantedBy(owner);
        kinds.set(id, owner);
        return id;
      };
      for (const id of await Promise.all(Array.from({ length: 1100 }, () => note('full')))) full.add(id);
      await ready(1);
      const take = (readyMax: number, without: string[] = ['full']) => store.take(look({ readyMax, without }));
      // Their turns are behind those that he was given before.
      const others = await Promise.all(Array.from({ length: 1500 }, () => note('other')));
      const given: string[] = [];
      for (let looks = 0; looks < 7; looks += 1) given.push(...(await take(500)).ready);
      expect(given.toSorted()).toEqual(others.toSorted());
      // Whoever comes now is not behind what was passed over.
      for (let i = 0; i < 6; i += 1) await note('new');
      const both = (await take(12, [])).ready.map((id) => kinds.get(id));
      expect(both.filter((owner) => owner === 'full')).toHaveLength(6);
      for (const id of (await takeAll(store)).ready) full.delete(id);
      expect(full.size).toBeLessThanOrEqual(7);
    });

    it('to the earliest of an owner who is let in again, also where it was shown and came back', async () => {
      await store.open();
      const all: string[] = [];
      for (let i = 0; i < 5; i += 1) all.push(await wantedBy('full', 'sample', 10 + i));
      const [first = ''] = await ready(1);
      const without = look({ without: ['full'] });
      expect(await store.take(without)).toEqual({ due: [], ready: [] });
      await store.append(commitOf(first, 1, { plan: wanted(10 + all.indexOf(first)) }));
      await store.append(commitOf(all[4] ?? '', 1, { plan: atRest }));
      expect(await store.take(without)).toEqual({ due: [], ready: [] });
      expect((await takeAll(store)).ready).toEqual(all.slice(0, 4));
      expect(first).toBe(all[0]);
    });

    it('to nobody who has enough, and looks at what of his is due all the same', async () => {
      await store.open();
      const [first, second] = [1, 2].map((wakeAt) => sampleTask({ owner: 'full', plan: { wakeAt, work: { readyAt: 1 } } }));
      for (const task of [first, second]) if (task) await store.create(task);
      const one = look({ dueMax: 1, without: ['full'] });
      expect(await store.take(one)).toEqual({ due: [first?.taskId], ready: [] });
      expect(await store.take(one)).toEqual({ due: [second?.taskId], ready: [] });
    });

    it('to types as well, and finds them all where any will do', async () => {
      await store.open();
      for (let i = 0; i < 5; i += 1) for (const type of ['a', 'b', 'c']) await wantedBy('one', type);
      const other = await wantedBy('one', 'other');
      expect(await ready(4, 'any')).toContain(other);
      expect(await ready(100, ['a'])).toHaveLength(4);
      expect(await ready(100, 'any')).toHaveLength(8);
    });
  });
});

describe('what is hidden', () => {
  /** A list of entries under `c`, and how many of them were read. */
  function counted(count: number) {
    const all = Array.from({ length: count }, (_, i): Key => ['c', i, `task-${String(i).padStart(6, '0')}`]);
    let read = 0;
    const rows = {
      *getKeys({ start }: { start: Key }) {
        for (const key of all.slice(Number(start[1] ?? 0))) {
          read += 1;
          yield key;
        }
      },
    };
    const reads = (): number => {
      const before = read;
      read = 0;
      return before;
    };
    return { all, rows: rows as unknown as ConstructorParameters<typeof Hiding>[0], reads };
  }
  function takeFrom(hiding: Hiding, max: number, until = 100): Key[] {
    const taken: Key[] = [];
    for (const entry of hiding.shown(['c'])) {
      if (taken.length === max) break;
      taken.push(entry);
      hiding.hide(String(entry[2]), { until, entries: [entry] });
    }
    return taken;
  }

  it('is not read again with each look, and shown again from its first entry on', () => {
    const { all, rows, reads } = counted(10_000);
    const hiding = new Hiding(rows);
    for (let i = 0; i < 50; i += 1) expect(takeFrom(hiding, 100, i < 25 ? 100 : 200)).toEqual(all.slice(i * 100, i * 100 + 100));
    expect(reads()).toBeLessThan(50 * 105);
    hiding.expire(100);
    expect(takeFrom(hiding, 100)).toEqual(all.slice(0, 100));
    hiding.replan('task-000050', all.slice(50, 51));
    hiding.replan('task-003000', []);
    expect(takeFrom(hiding, 2)).toEqual([all[50], all[100]]);
  });

  it('is found again where a commit puts a task before it', () => {
    const { all, rows } = counted(300);
    const hiding = new Hiding(rows);
    takeFrom(hiding, 200);
    expect(takeFrom(hiding, 1)).toEqual([all[200]]);
    hiding.replan('task-000007', [all[7] ?? []]);
    expect(takeFrom(hiding, 2)).toEqual([all[7], all[201]]);
  });
});
