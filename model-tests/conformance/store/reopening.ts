import type { Lease } from 'taskbridge/server/store';
import {
  commitOf,
  eventually,
  factOf,
  factsOf,
  heldBy,
  heldOf,
  legible,
  look,
  readAll,
  sampleTask,
  takeAll,
  wakes,
  wanted,
  type StoreUnderTest,
} from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { same } from '../suite/claim.ts';

/** What a store that outlives its process keeps. */
export const reopeningCases: CaseGroup<StoreUnderTest> = (underTest) => {
  return {
    'keeps its id': async () => {
      const { store, reopen } = underTest();
      if (!reopen) return;
      const id = await store.id();
      same(await (await reopen()).id(), id);
    },

    'keeps everything': async () => {
      const { store, reopen } = underTest();
      if (!reopen) return;
      const task = sampleTask({ fields: { a: '1', b: 'ü💡' }, sideValues: { k: 'v' }, plan: wanted(4) });
      const ended = sampleTask();
      const gone = sampleTask({ plan: heldBy('a-node') });
      for (const each of [task, ended, gone]) await store.create(each);
      await store.append(
        commitOf(task.taskId, 1, {
          facts: factsOf(task.taskId, 1, 9),
          fields: { b: '2' },
          sideValues: { l: 'w' },
          plan: wakes(8),
          firstRetained: 4,
        }),
      );
      await store.append(commitOf(ended.taskId, 1, { facts: factsOf(ended.taskId, 1, 2), ended: true }));
      await store.remove(gone.taskId, gone.requestKey, 1);

      const again = await reopen();
      same(await again.load(task.taskId), { revision: 2, fields: { a: '1', b: '2' } });
      same(await again.sideValues(task.taskId, ['k', 'l']), ['v', 'w']);
      const page = await readAll(again, task.taskId);
      same(legible(page.entries), legible(factsOf(task.taskId, 4, 9)));
      same([page.firstEventId, page.lastEventId, page.ended], [factOf(task.taskId, 4).eventId, factOf(task.taskId, 9).eventId, false]);
      same((await readAll(again, ended.taskId)).ended, true);
      same(await takeAll(again), { due: [task.taskId], ready: [] });
      same(await again.create(sampleTask({ requestKey: task.requestKey })), { created: false, taskId: task.taskId });
      same(await again.load(gone.taskId), undefined);

      same(await again.append(commitOf(task.taskId, 1)), 'conflict');
      same(await again.append(commitOf(task.taskId, 2, { facts: [factOf(task.taskId, 10)] })), 'committed');
    },

    'keeps every plan, who holds what, and the rows of nodes': async () => {
      const { store, reopen } = underTest();
      if (!reopen) return;
      const now = await store.now();
      const [due, ready, strange, held, later] = [
        sampleTask({ plan: wakes(now) }),
        sampleTask({ plan: wanted(now) }),
        sampleTask({ plan: wanted(now), taskType: 'strange', owner: 'a stranger' }),
        sampleTask({ plan: heldBy('one') }),
        sampleTask({ plan: { wakeAt: now + 1e9, work: { readyAt: now + 1e9 } } }),
      ] as const;
      for (const task of [due, ready, strange, held, later]) await store.create(task);
      if (!store.exclusive) await store.renew('two', 0, 3);
      const leases = sorted(await store.leases());

      const again = await reopen();
      same(sorted(await again.leases()), leases);
      same(await heldOf(again, 'one'), [held.taskId]);
      same(await takeAll(again), { due: [due.taskId], ready: [ready.taskId] });
      same(await takeAll(again, look({ types: ['strange'] })), { due: [], ready: [strange.taskId] });
      await again.append(commitOf(held.taskId, 1, { plan: wanted(now) }));
      await again.append(commitOf(later.taskId, 1, { plan: wakes(now) }));
      same(await takeAll(again), { due: [later.taskId], ready: [held.taskId] });
    },

    'loses no task that was hidden when it was closed': async () => {
      const { store, reopen } = underTest();
      if (!reopen) return;
      const now = await store.now();
      const [due, ready] = [sampleTask({ plan: wakes(now) }), sampleTask({ plan: wanted(now) })];
      for (const task of [due, ready]) await store.create(task);
      same(await store.take(look({ hideMs: 100 })), { due: [due.taskId], ready: [ready.taskId] });
      const again = await reopen();
      const seen = new Set<string>();
      const areSeen = (): boolean => seen.size >= 2;
      await eventually(again, areSeen, async () => {
        const taken = await again.take(look());
        for (const taskId of [...taken.due, ...taken.ready]) seen.add(taskId);
      });
      same(seen, new Set([due.taskId, ready.taskId]));
    },
  };
};

function sorted(leases: readonly Lease[]): Lease[] {
  return [...leases].sort((a, b) => (`${a.bucket} ${a.node}` < `${b.bucket} ${b.node}` ? -1 : 1));
}
