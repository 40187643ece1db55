import { commitOf, factOf, factsOf, legible, readAll, sampleTask, type StoreUnderTest } from './samples.ts';
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
      const task = sampleTask({ fields: { a: '1', b: 'ü💡' }, sideValues: { k: 'v' }, dueAt: 4 });
      const ended = sampleTask();
      const gone = sampleTask({ dueAt: 1 });
      for (const each of [task, ended, gone]) await store.create(each);
      await store.append(
        commitOf(task.taskId, 1, {
          facts: factsOf(task.taskId, 1, 9),
          fields: { b: '2' },
          sideValues: { l: 'w' },
          dueAt: 8,
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
      same(await again.due(100, 100), [{ taskId: task.taskId, dueAt: 8 }]);
      same(await again.create(sampleTask({ requestKey: task.requestKey })), { created: false, taskId: task.taskId });
      same(await again.load(gone.taskId), undefined);

      same(await again.append(commitOf(task.taskId, 1)), 'conflict');
      same(await again.append(commitOf(task.taskId, 2, { facts: [factOf(task.taskId, 10)] })), 'committed');
    },
  };
};
