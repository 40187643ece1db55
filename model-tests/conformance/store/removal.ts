import type { Plan, Store } from 'taskbridge/server/store';
import { atRest, commitOf, factOf, factsOf, heldBy, heldOf, legible, readAll, sampleTask, takeAll, wakes, wanted } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { same } from '../suite/claim.ts';

/** What `remove` means. */
export const removalCases: CaseGroup<Store> = (store) => {
  /** A task at revision 2 with three facts, a kept value and a plan. */
  async function full(plan: Plan = wakes(4)): Promise<ReturnType<typeof sampleTask>> {
    const task = sampleTask({ sideValues: { k: 'v' } });
    await store().create(task);
    await store().append(commitOf(task.taskId, 1, { facts: factsOf(task.taskId, 1, 3), plan }));
    return task;
  }
  return {
    'deletes a task with all that is known of it': async () => {
      const { taskId, requestKey } = await full();
      same(await store().remove(taskId, requestKey, 2), 'removed');
      same(await store().load(taskId), undefined);
      same(await store().read(taskId, 1, { facts: 1, bytes: 1 }), undefined);
      same(await store().sideValues(taskId, ['k']), [undefined]);
      same(await store().lastEventIds([taskId]), [null]);
      same(await takeAll(store()), { due: [], ready: [] });
      same(await store().append(commitOf(taskId, 2)), 'conflict');
    },

    'frees the request key, and leaves nothing of the old task to a new one': async () => {
      const task = await full();
      await store().remove(task.taskId, task.requestKey, 2);
      same(await store().create({ ...task, fields: { head: 'new' }, sideValues: {}, plan: atRest }), { created: true });
      same(await store().load(task.taskId), { revision: 1, fields: { head: 'new' } });
      same(await store().sideValues(task.taskId, ['k']), [undefined]);
      same(await readAll(store(), task.taskId), { entries: [], firstEventId: null, lastEventId: null, ended: false });
      await store().append(commitOf(task.taskId, 1, { facts: [factOf(task.taskId, 1)] }));
      same((await readAll(store(), task.taskId)).entries.length, 1);
    },

    'takes a task’s plan with it, whatever it was, and leaves none of it to a new task': async () => {
      for (const plan of [wakes(4), wanted(4), heldBy('a-node'), { wakeAt: 4, work: { heldBy: 'a-node' } }]) {
        const task = await full(plan);
        same(await store().remove(task.taskId, task.requestKey, 2), 'removed');
        same([await takeAll(store()), await heldOf(store(), 'a-node')], [{ due: [], ready: [] }, []]);
        await store().create({ ...task, plan: atRest });
        same([await takeAll(store()), await heldOf(store(), 'a-node')], [{ due: [], ready: [] }, []]);
      }
      for (const lease of await store().leases()) same(await store().dropLease(lease), true);
      same(await store().leases(), []);
    },

    'takes a task with it that was shown and is hidden': async () => {
      const task = await full(wanted(4));
      same(await takeAll(store()), { due: [], ready: [task.taskId] });
      await store().remove(task.taskId, task.requestKey, 2);
      await store().create({ ...task, plan: wanted(4) });
      same(await takeAll(store()), { due: [], ready: [task.taskId] });
    },

    'answers a conflict for another revision, and deletes nothing': async () => {
      const task = await full();
      for (const revision of [0, 1, 3]) same(await store().remove(task.taskId, task.requestKey, revision), 'conflict');
      same((await store().load(task.taskId))?.revision, 2);
      same(legible((await readAll(store(), task.taskId)).entries), legible(factsOf(task.taskId, 1, 3)));
      same(await store().create(sampleTask({ requestKey: task.requestKey })), { created: false, taskId: task.taskId });
    },

    'answers a conflict for a task that is gone': async () => {
      const task = await full();
      await store().remove(task.taskId, task.requestKey, 2);
      same(await store().remove(task.taskId, task.requestKey, 2), 'conflict');
      const { taskId, requestKey } = sampleTask();
      same(await store().remove(taskId, requestKey, 1), 'conflict');
    },

    'leaves a request key alone that belongs to another task by now': async () => {
      const task = await full();
      await store().remove(task.taskId, task.requestKey, 2);
      const next = { ...sampleTask({ requestKey: task.requestKey }), taskId: task.taskId.slice(0, 2) + sampleTask().taskId.slice(2) };
      await store().create(next);
      same(await store().remove(task.taskId, task.requestKey, 2), 'conflict');
      same(await store().create(task), { created: false, taskId: next.taskId });
    },

    'touches no other task': async () => {
      const [gone, stays] = [await full(), await full()];
      await store().remove(gone.taskId, gone.requestKey, 2);
      same((await readAll(store(), stays.taskId)).entries.length, 3);
      same(await store().sideValues(stays.taskId, ['k']), ['v']);
      same(await takeAll(store()), { due: [stays.taskId], ready: [] });
    },

    'lets exactly one of a removal and a commit of the same revision happen': async () => {
      const { taskId, requestKey } = await full();
      const [removed, committed] = await Promise.all([
        store().remove(taskId, requestKey, 2),
        store().append(commitOf(taskId, 2, { facts: [factOf(taskId, 4)] })),
      ]);
      same([removed, committed].sort(), removed === 'removed' ? ['conflict', 'removed'] : ['committed', 'conflict']);
      same((await store().load(taskId)) === undefined, removed === 'removed');
    },
  };
};
