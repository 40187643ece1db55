import { describe, expect, it } from 'vitest';
import type { Store } from '../../../server/ports/index.ts';
import { commitOf, noLimit, sampleTask } from './samples.ts';

/** What `open`, `close` and `now` mean. */
export function describeEnds(store: () => Store): void {
  describe('opening and closing', () => {
    it('has a name', () => {
      expect(store().name).toMatch(/^[a-z][a-z-]*$/);
    });

    it('tells its time in whole milliseconds since the epoch', async () => {
      const [first, second] = [await store().now(), await store().now()];
      expect(Number.isSafeInteger(first)).toBe(true);
      expect(second).toBeGreaterThanOrEqual(first);
    });

    it('takes a second `open` and a second `close` for nothing', async () => {
      const task = sampleTask();
      await store().create(task);
      await store().open();
      expect(await store().load(task.taskId)).toMatchObject({ revision: 1 });
      await store().close();
      await store().close();
    });

    it('finishes what it was asked before it closes', async () => {
      const tasks = Array.from({ length: 20 }, () => sampleTask());
      const created = Promise.all(tasks.map((task) => store().create(task)));
      await store().close();
      expect(await created).toEqual(tasks.map(() => ({ created: true })));
    });

    it('rejects every verb once it is closed, and says why', async () => {
      const task = sampleTask();
      await store().create(task);
      await store().close();
      const verbs: (() => Promise<unknown>)[] = [
        () => store().create(sampleTask()),
        () => store().load(task.taskId),
        () => store().kept(task.taskId, ['a']),
        () => store().append(commitOf(task.taskId, 1)),
        () => store().remove(task.taskId, task.requestKey, 1),
        () => store().due(1, 1),
        () => store().read(task.taskId, 1, noLimit),
        () => store().lastEventIds([task.taskId]),
      ];
      for (const verb of verbs) await expect(verb()).rejects.toThrow('not open');
    });
  });
}
