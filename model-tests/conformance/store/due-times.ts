import { describe, expect, it } from 'vitest';
import type { DueTask, Store } from '../../../server/ports/index.ts';
import { commitOf, sampleTask } from './samples.ts';

/** What `due` means. */
export function describeDueTimes(store: () => Store): void {
  describe('due times', () => {
    it('gives the tasks whose time has come, earliest first, then by id', async () => {
      const tasks = await createDue([30, 10, 20, 10, 1_790_000_000_000, 10, 9]);
      expect(await store().due(9, 100)).toEqual(sorted(tasks).slice(0, 1));
      expect(await store().due(10, 100)).toEqual(sorted(tasks).slice(0, 4));
      expect(await store().due(29, 100)).toEqual(sorted(tasks).slice(0, 5));
      expect(await store().due(1_790_000_000_000, 100)).toEqual(sorted(tasks));
      expect(await store().due(8, 100)).toEqual([]);
    });

    it('leaves out tasks without a time', async () => {
      await store().create(sampleTask({ dueAt: null }));
      expect(await store().due(Number.MAX_SAFE_INTEGER, 100)).toEqual([]);
    });

    it('gives no more than asked for, and goes on after a position', async () => {
      const tasks = sorted(await createDue([5, 5, 5, 5, 1, 2, 3, 4, 6, 100, 99]));
      for (const limit of [1, 2, 3, 7]) {
        const seen: DueTask[] = [];
        // A store that gives a position again must not hang the run.
        for (let pages = 0; pages <= tasks.length; pages += 1) {
          const page = await store().due(99, limit, seen.at(-1));
          expect(page.length).toBeLessThanOrEqual(limit);
          if (page.length === 0) break;
          seen.push(...page);
        }
        expect(seen).toEqual(tasks.filter(({ dueAt }) => dueAt <= 99));
      }
    });

    it('goes on after a position whose task is there no longer', async () => {
      const tasks = sorted(await createDue([1, 2, 2, 2, 3]));
      const [, , gone] = tasks;
      if (!gone) throw new Error('Five tasks were created.');
      await store().append(commitOf(gone.taskId, 1, { dueAt: null }));
      expect(await store().due(10, 100, gone)).toEqual(tasks.slice(3));
      expect(await store().due(10, 100, { taskId: 'ffffffffffffffffffffffffffffffff', dueAt: 2 })).toEqual(tasks.slice(4));
    });

    it('replaces a task’s time with every commit', async () => {
      const [one] = await createDue([10]);
      const { taskId } = one ?? { taskId: '' };
      await store().append(commitOf(taskId, 1, { dueAt: 20 }));
      expect(await store().due(19, 100)).toEqual([]);
      expect(await store().due(20, 100)).toEqual([{ taskId, dueAt: 20 }]);
      await store().append(commitOf(taskId, 2, { dueAt: 5 }));
      expect(await store().due(100, 100)).toEqual([{ taskId, dueAt: 5 }]);
      await store().append(commitOf(taskId, 3, { dueAt: 5 }));
      expect(await store().due(100, 100)).toEqual([{ taskId, dueAt: 5 }]);
      await store().append(commitOf(taskId, 4, { dueAt: null }));
      expect(await store().due(100, 100)).toEqual([]);
      await store().append(commitOf(taskId, 5, { dueAt: 7 }));
      expect(await store().due(100, 100)).toEqual([{ taskId, dueAt: 7 }]);
    });

    it('keeps the time when a commit is refused', async () => {
      const [one] = await createDue([10]);
      const { taskId } = one ?? { taskId: '' };
      expect(await store().append(commitOf(taskId, 9, { dueAt: null }))).toBe('conflict');
      expect(await store().due(10, 100)).toEqual([{ taskId, dueAt: 10 }]);
    });

    it('stays while it is due: asking takes nothing away', async () => {
      const tasks = sorted(await createDue([1, 2]));
      expect(await store().due(5, 100)).toEqual(tasks);
      expect(await store().due(5, 100)).toEqual(tasks);
    });
  });

  async function createDue(times: readonly number[]): Promise<DueTask[]> {
    return Promise.all(
      times.map(async (dueAt) => {
        const task = sampleTask({ dueAt });
        await store().create(task);
        return { taskId: task.taskId, dueAt };
      }),
    );
  }
}

function sorted(tasks: readonly DueTask[]): DueTask[] {
  return [...tasks].sort((a, b) => a.dueAt - b.dueAt || (a.taskId < b.taskId ? -1 : 1));
}
