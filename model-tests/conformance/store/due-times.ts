import type { DueTask, Store } from '../../../server/ports/index.ts';
import { commitOf, sampleTask } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, same } from '../suite/claim.ts';

/** What `due` means. */
export const dueTimeCases: CaseGroup<Store> = (store) => {
  async function createDue(times: readonly number[]): Promise<DueTask[]> {
    return Promise.all(
      times.map(async (dueAt) => {
        const task = sampleTask({ dueAt });
        await store().create(task);
        return { taskId: task.taskId, dueAt };
      }),
    );
  }
  return {
    'gives the tasks whose time has come, earliest first, then by id': async () => {
      const tasks = await createDue([30, 10, 20, 10, 1_790_000_000_000, 10, 9]);
      same(await store().due(9, 100), sorted(tasks).slice(0, 1));
      same(await store().due(10, 100), sorted(tasks).slice(0, 4));
      same(await store().due(29, 100), sorted(tasks).slice(0, 5));
      same(await store().due(1_790_000_000_000, 100), sorted(tasks));
      same(await store().due(8, 100), []);
    },

    'leaves out tasks without a time': async () => {
      await store().create(sampleTask({ dueAt: null }));
      same(await store().due(Number.MAX_SAFE_INTEGER, 100), []);
    },

    'gives no more than asked for, and goes on after a position': async () => {
      const tasks = sorted(await createDue([5, 5, 5, 5, 1, 2, 3, 4, 6, 100, 99]));
      for (const limit of [1, 2, 3, 7]) {
        const seen: DueTask[] = [];
        // A store that gives a position again must not hang the run.
        for (let pages = 0; pages <= tasks.length; pages += 1) {
          const page = await store().due(99, limit, seen.at(-1));
          holds(page.length <= limit, 'it is greater');
          if (page.length === 0) break;
          seen.push(...page);
        }
        same(
          seen,
          tasks.filter(({ dueAt }) => dueAt <= 99),
        );
      }
    },

    'goes on after a position whose task is there no longer': async () => {
      const tasks = sorted(await createDue([1, 2, 2, 2, 3]));
      const [, , gone] = tasks;
      if (!gone) throw new Error('Five tasks were created.');
      await store().append(commitOf(gone.taskId, 1, { dueAt: null }));
      same(await store().due(10, 100, gone), tasks.slice(3));
      same(await store().due(10, 100, { taskId: 'ffffffffffffffffffffffffffffffff', dueAt: 2 }), tasks.slice(4));
    },

    'replaces a task’s time with every commit': async () => {
      const [one] = await createDue([10]);
      const { taskId } = one ?? { taskId: '' };
      await store().append(commitOf(taskId, 1, { dueAt: 20 }));
      same(await store().due(19, 100), []);
      same(await store().due(20, 100), [{ taskId, dueAt: 20 }]);
      await store().append(commitOf(taskId, 2, { dueAt: 5 }));
      same(await store().due(100, 100), [{ taskId, dueAt: 5 }]);
      await store().append(commitOf(taskId, 3, { dueAt: 5 }));
      same(await store().due(100, 100), [{ taskId, dueAt: 5 }]);
      await store().append(commitOf(taskId, 4, { dueAt: null }));
      same(await store().due(100, 100), []);
      await store().append(commitOf(taskId, 5, { dueAt: 7 }));
      same(await store().due(100, 100), [{ taskId, dueAt: 7 }]);
    },

    'keeps the time when a commit is refused': async () => {
      const [one] = await createDue([10]);
      const { taskId } = one ?? { taskId: '' };
      same(await store().append(commitOf(taskId, 9, { dueAt: null })), 'conflict');
      same(await store().due(10, 100), [{ taskId, dueAt: 10 }]);
    },

    'stays while it is due: asking takes nothing away': async () => {
      const tasks = sorted(await createDue([1, 2]));
      same(await store().due(5, 100), tasks);
      same(await store().due(5, 100), tasks);
    },
  };
};

function sorted(tasks: readonly DueTask[]): DueTask[] {
  return [...tasks].sort((a, b) => a.dueAt - b.dueAt || (a.taskId < b.taskId ? -1 : 1));
}
