import { describe, expect, it } from 'vitest';
import { commitOf, factOf, factsOf, legible, readAll, sampleTask, type StoreUnderTest } from './samples.ts';

/** What a store that outlives its process keeps. Does nothing for one that keeps nothing, which the suite's caller says by leaving `reopen` out. */
export function describeReopening(underTest: () => StoreUnderTest): void {
  describe('reopening', () => {
    it('keeps everything, or says by having no `reopen` that it keeps nothing', async () => {
      const { store, reopen } = underTest();
      if (!reopen) return;
      const task = sampleTask({ fields: { a: '1', b: 'ü💡' }, kept: { k: 'v' }, dueAt: 4 });
      const ended = sampleTask();
      const gone = sampleTask({ dueAt: 1 });
      for (const each of [task, ended, gone]) await store.create(each);
      await store.append(
        commitOf(task.taskId, 1, { facts: factsOf(task.taskId, 1, 9), fields: { b: '2' }, kept: { l: 'w' }, dueAt: 8, firstRetained: 4 }),
      );
      await store.append(commitOf(ended.taskId, 1, { facts: factsOf(ended.taskId, 1, 2), ended: true }));
      await store.remove(gone.taskId, gone.requestKey, 1);

      const again = await reopen();
      expect(await again.load(task.taskId)).toEqual({ revision: 2, fields: { a: '1', b: '2' } });
      expect(await again.kept(task.taskId, ['k', 'l'])).toEqual(['v', 'w']);
      const page = await readAll(again, task.taskId);
      expect(legible(page.entries)).toEqual(legible(factsOf(task.taskId, 4, 9)));
      expect([page.firstEventId, page.lastEventId, page.ended]).toEqual([
        factOf(task.taskId, 4).eventId,
        factOf(task.taskId, 9).eventId,
        false,
      ]);
      expect((await readAll(again, ended.taskId)).ended).toBe(true);
      expect(await again.due(100, 100)).toEqual([{ taskId: task.taskId, dueAt: 8 }]);
      expect(await again.create(sampleTask({ requestKey: task.requestKey }))).toEqual({ created: false, taskId: task.taskId });
      expect(await again.load(gone.taskId)).toBeUndefined();

      expect(await again.append(commitOf(task.taskId, 1))).toBe('conflict');
      expect(await again.append(commitOf(task.taskId, 2, { facts: [factOf(task.taskId, 10)] }))).toBe('committed');
    });
  });
}
