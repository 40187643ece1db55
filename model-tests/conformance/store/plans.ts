import type { Plan, Store } from 'taskbridge/server/store';
import { atRest, commitOf, eventually, heldBy, look, sampleTask, takeAll, wakes, wanted } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, same } from '../suite/claim.ts';

/** What a plan means for `take`. */
export const planCases: CaseGroup<Store> = (store) => {
  async function planned(plan: Plan, { taskType = 'sample', bucket = '5a' } = {}): Promise<string> {
    const task = sampleTask({ plan, taskType }, bucket);
    await store().create(task);
    return task.taskId;
  }
  return {
    'gives a task whose time has come as due, and one whose work is wanted as ready': async () => {
      const now = await store().now();
      const [due, ready] = [await planned(wakes(now)), await planned(wanted(now))];
      same(await store().take(look()), { due: [due], ready: [ready] });
    },

    'gives nothing of a task at rest, nor of one that is held': async () => {
      await planned(atRest);
      await planned(heldBy('a-node'));
      same(await store().take(look()), { due: [], ready: [] });
    },

    'gives a task when its time has come by the store’s clock, and not before': async () => {
      const soon = (await store().now()) + 200;
      const [due, ready] = [await planned(wakes(soon)), await planned(wanted(soon))];
      const [seenDue, seenReady] = [new Set<string>(), new Set<string>()];
      const isSeen = (): boolean => seenDue.size + seenReady.size >= 2;
      await eventually(store(), isSeen, async () => {
        const taken = await store().take(look());
        // Whatever it shows, its time had come when it was asked for.
        if ((await store().now()) < soon) same(taken, { due: [], ready: [] });
        for (const taskId of taken.due) seenDue.add(taskId);
        for (const taskId of taken.ready) seenReady.add(taskId);
      });
      same([[...seenDue], [...seenReady]], [[due], [ready]]);
    },

    'gives work to whoever does tasks of its type, and leaves the rest': async () => {
      const now = await store().now();
      const [a, b] = [await planned(wanted(now), { taskType: 'kind.a' }), await planned(wanted(now), { taskType: 'kind-b' })];
      same((await takeAll(store(), look({ types: [] }))).ready, []);
      same((await takeAll(store(), look({ types: ['kind.c', 'kind', 'kind.a2'] }))).ready, []);
      same((await takeAll(store(), look({ types: ['kind-b', 'other'] }))).ready, [b]);
      same((await takeAll(store(), look({ types: ['kind.a', 'kind-b'] }))).ready, [a]);
    },

    'gives work of every type to whoever does any, in turns of its owners as ever': async () => {
      const now = await store().now();
      const kinds = ['kind.a', 'kind-b', 'kind/c', 'any'];
      const tasks = await Promise.all(kinds.map((taskType) => planned(wanted(now), { taskType })));
      same((await store().take(look({ types: [], readyMax: 9 }))).ready, []);
      const one = (await store().take(look({ types: 'any', readyMax: 1 }))).ready;
      same([...one, ...(await takeAll(store(), look({ types: 'any', readyMax: 2 }))).ready].toSorted(), tasks.toSorted());
    },

    'gives work that somebody waits for before all other work of its type, and then the owners their turns': async () => {
      const now = await store().now();
      const create = async (owner: string, readyAt: number): Promise<string> => {
        const task = sampleTask({ plan: wanted(readyAt), owner }, '5a');
        await store().create(task);
        return task.taskId;
      };
      const one = (): Promise<readonly string[]> =>
        store()
          .take(look({ readyMax: 1 }))
          .then(({ ready }) => ready);
      const first = await create('big', now - 9);
      const rest = [await create('big', now - 8), await create('big', now - 7)];
      same(await one(), [first]);
      const other = await create('small', now);
      const answered = [await create('big', 0), await create('other', 0)];
      same([...(await one()), ...(await one())].toSorted(), answered.toSorted());
      const last = [...(await one()), ...(await one()), ...(await one())];
      same(last.toSorted(), [...rest, other].toSorted());
      same(
        last.filter((taskId) => taskId !== other),
        rest,
      );
    },

    'keeps work of a type that nobody does, behind which nothing waits': async () => {
      const now = await store().now();
      const strange = await Promise.all(Array.from({ length: 50 }, () => planned(wanted(now - 1000), { taskType: 'strange' })));
      const known = await planned(wanted(now));
      same((await store().take(look({ readyMax: 1 }))).ready, [known]);
      same(await takeAll(store()), { due: [], ready: [] });
      same((await takeAll(store(), look({ types: ['strange'], readyMax: 7 }))).ready.toSorted(), strange.toSorted());
    },

    'shows a task that is due to everybody, whatever he does': async () => {
      const due = await planned(wakes((await store().now()) - 5), { taskType: 'strange' });
      same(await store().take(look({ types: [], readyMax: 0 })), { due: [due], ready: [] });
    },

    'gives what is due earliest first within a bucket, and no more than asked for': async () => {
      const now = await store().now();
      const offsets = [7, 3, 9, 1, 5, 8, 2, 6, 4];
      const byOffset = new Map(await Promise.all(offsets.map(async (ms) => [ms, await planned(wakes(now - ms))] as const)));
      const pages: (readonly string[])[] = [];
      for (let i = 0; i < 5; i += 1) pages.push((await store().take(look({ dueMax: 2 }))).due);
      same(
        pages.flat(),
        [9, 8, 7, 6, 5, 4, 3, 2, 1].map((ms) => byOffset.get(ms)),
      );
      holds(
        pages.every(({ length }) => length <= 2),
        'a page is longer than was asked for',
      );
    },

    'finds one task in whichever bucket it is, though only one was asked for': async () => {
      const now = await store().now();
      for (const bucket of ['00', '0f', '10', '7f', '80', 'a3', 'ff']) {
        const ready = await planned(wanted(now), { bucket });
        same(await store().take(look({ dueMax: 1, readyMax: 1 })), { due: [], ready: [ready] });
        const due = await planned(wakes(now), { bucket });
        same(await store().take(look({ dueMax: 1, readyMax: 1 })), { due: [due], ready: [] });
      }
    },

    'gives no more than asked for of many buckets, and loses none': async () => {
      const now = await store().now();
      const some = Array.from({ length: 90 }, (_, i) => sampleTask({ plan: i % 2 ? wakes(now - i) : wanted(now - i) }));
      await Promise.all(some.map((task) => store().create(task)));
      const seen: string[] = [];
      while (seen.length < some.length) {
        const { due, ready } = await store().take(look({ dueMax: 7, readyMax: 4 }));
        holds(due.length <= 7 && ready.length <= 4, 'more was given than asked for');
        holds(due.length + ready.length > 0, `nothing was given, though ${some.length - seen.length} are ripe`);
        seen.push(...due, ...ready);
      }
      same(seen.sort(), some.map(({ taskId }) => taskId).sort());
    },

    'gives a task that is both due and wanted once': async () => {
      const now = await store().now();
      const both = await planned({ wakeAt: now - 1, work: { readyAt: now - 2 } });
      const { due, ready } = await takeAll(store());
      same([...due, ...ready], [both]);
    },

    'gives a task that is wanted now and due later, and the other way round': async () => {
      const now = await store().now();
      const wantedNow = await planned({ wakeAt: now + 1e9, work: { readyAt: now } });
      const dueNow = await planned({ wakeAt: now, work: { readyAt: now + 1e9 } });
      const heldAndDue = await planned({ wakeAt: now - 1, work: { heldBy: 'a-node' } });
      const { due, ready } = await takeAll(store());
      same([[...due].sort(), ready], [[dueNow, heldAndDue].sort(), [wantedNow]]);
    },

    'replaces the whole plan with every commit, also while it is hidden': async () => {
      const now = await store().now();
      const taskId = await planned({ wakeAt: now, work: { readyAt: now } });
      const plans: [Plan, object][] = [
        [wanted(now), { due: [], ready: [taskId] }],
        [atRest, { due: [], ready: [] }],
        [wakes(now), { due: [taskId], ready: [] }],
        [wakes(now + 1e9), { due: [], ready: [] }],
        [wanted(now + 1e9), { due: [], ready: [] }],
        [wanted(now), { due: [], ready: [taskId] }],
        [heldBy('a-node'), { due: [], ready: [] }],
        [wakes(now), { due: [taskId], ready: [] }],
      ];
      for (const [i, [plan, expected]] of plans.entries()) {
        same(await store().append(commitOf(taskId, i + 1, { plan })), 'committed');
        same(await takeAll(store()), expected, `what is given after commit ${i + 1}`);
      }
    },

    'keeps the plan when a commit or a create is refused': async () => {
      const now = await store().now();
      const task = sampleTask({ plan: wanted(now) });
      await store().create(task);
      same(await store().append(commitOf(task.taskId, 9, { plan: atRest })), 'conflict');
      same((await store().create(sampleTask({ requestKey: task.requestKey, plan: wakes(now) }))).created, false);
      same(await takeAll(store()), { due: [], ready: [task.taskId] });
    },
  };
};
