import { describe, expect, it } from 'vitest';
import type { Store } from '../../../server/ports/index.ts';
import { commitOf, factOf, factsOf, legible, readAll, sampleTask } from './samples.ts';

/** What `remove` means. */
export function describeRemoval(store: () => Store): void {
  describe('removal', () => {
    it('deletes a task with all that is known of it', async () => {
      const { taskId, requestKey } = await full();
      expect(await store().remove(taskId, requestKey, 2)).toBe('removed');
      expect(await store().load(taskId)).toBeUndefined();
      expect(await store().read(taskId, 1, { facts: 1, bytes: 1 })).toBeUndefined();
      expect(await store().kept(taskId, ['k'])).toEqual([undefined]);
      expect(await store().lastEventIds([taskId])).toEqual([null]);
      expect(await store().due(Number.MAX_SAFE_INTEGER, 100)).toEqual([]);
      expect(await store().append(commitOf(taskId, 2))).toBe('conflict');
    });

    it('frees the request key, and leaves nothing of the old task to a new one', async () => {
      const task = await full();
      await store().remove(task.taskId, task.requestKey, 2);
      expect(await store().create({ ...task, fields: { head: 'new' }, kept: {}, dueAt: null })).toEqual({ created: true });
      expect(await store().load(task.taskId)).toEqual({ revision: 1, fields: { head: 'new' } });
      expect(await store().kept(task.taskId, ['k'])).toEqual([undefined]);
      expect(await readAll(store(), task.taskId)).toEqual({ entries: [], firstEventId: null, lastEventId: null, ended: false });
      await store().append(commitOf(task.taskId, 1, { facts: [factOf(task.taskId, 1)] }));
      expect((await readAll(store(), task.taskId)).entries).toHaveLength(1);
    });

    it('answers a conflict for another revision, and deletes nothing', async () => {
      const task = await full();
      for (const revision of [0, 1, 3]) expect(await store().remove(task.taskId, task.requestKey, revision)).toBe('conflict');
      expect((await store().load(task.taskId))?.revision).toBe(2);
      expect(legible((await readAll(store(), task.taskId)).entries)).toEqual(legible(factsOf(task.taskId, 1, 3)));
      expect(await store().create(sampleTask({ requestKey: task.requestKey }))).toEqual({ created: false, taskId: task.taskId });
    });

    it('answers a conflict for a task that is gone', async () => {
      const task = await full();
      await store().remove(task.taskId, task.requestKey, 2);
      expect(await store().remove(task.taskId, task.requestKey, 2)).toBe('conflict');
      const { taskId, requestKey } = sampleTask();
      expect(await store().remove(taskId, requestKey, 1)).toBe('conflict');
    });

    it('leaves a request key alone that belongs to another task by now', async () => {
      const task = await full();
      await store().remove(task.taskId, task.requestKey, 2);
      const next = { ...sampleTask({ requestKey: task.requestKey }), taskId: task.taskId.slice(0, 2) + sampleTask().taskId.slice(2) };
      await store().create(next);
      expect(await store().remove(task.taskId, task.requestKey, 2)).toBe('conflict');
      expect(await store().create(task)).toEqual({ created: false, taskId: next.taskId });
    });

    it('touches no other task', async () => {
      const [gone, stays] = [await full(), await full()];
      await store().remove(gone.taskId, gone.requestKey, 2);
      expect((await readAll(store(), stays.taskId)).entries).toHaveLength(3);
      expect(await store().kept(stays.taskId, ['k'])).toEqual(['v']);
      expect(await store().due(4, 100)).toEqual([{ taskId: stays.taskId, dueAt: 4 }]);
    });

    it('lets exactly one of a removal and a commit of the same revision happen', async () => {
      const { taskId, requestKey } = await full();
      const [removed, committed] = await Promise.all([
        store().remove(taskId, requestKey, 2),
        store().append(commitOf(taskId, 2, { facts: [factOf(taskId, 4)] })),
      ]);
      expect([removed, committed].sort()).toEqual(removed === 'removed' ? ['conflict', 'removed'] : ['committed', 'conflict']);
      expect((await store().load(taskId)) === undefined).toBe(removed === 'removed');
    });
  });

  /** A task at revision 2 with three facts, a kept value and a due time. */
  async function full(): Promise<ReturnType<typeof sampleTask>> {
    const task = sampleTask({ kept: { k: 'v' }, dueAt: 4 });
    await store().create(task);
    await store().append(commitOf(task.taskId, 1, { facts: factsOf(task.taskId, 1, 3), dueAt: 4 }));
    return task;
  }
}
