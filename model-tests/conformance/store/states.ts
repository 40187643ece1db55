import type { Listed, Store } from 'taskbridge/server/store';
import { commitOf, sampleTask } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, present, same } from '../suite/claim.ts';

/** The lists of all tasks of one state and type. */
export const stateCases: CaseGroup<Store> = (store) => {
  async function create(part: Parameters<typeof sampleTask>[0] = {}): Promise<string> {
    const task = sampleTask(part);
    await store().create(task);
    return task.taskId;
  }
  const idsIn = async (state: string, taskType = 'sample'): Promise<string[]> =>
    (await store().inState(state, taskType, 1000)).map(({ taskId }) => taskId);
  const counts = async (): Promise<unknown[]> =>
    (await store().counts()).map(({ state, taskType, count }) => [state, taskType, count]).sort();

  return {
    'lists a task by its state and type, from its first moment on': async () => {
      const before = await store().now();
      const taskId = await create({ state: 'RUNNING', taskType: 'ä:b' });
      const [listed, ...others] = await store().inState('RUNNING', 'ä:b', 10);
      same([listed?.taskId, others], [taskId, []]);
      const { since } = present(listed, 'the task');
      holds(before <= since && since <= (await store().now()), `it is there since ${since}`);
      same([await idsIn('RUNNING', 'ä'), await idsIn('WAITING', 'ä:b'), await idsIn('b', 'RUNNING:ä')], [[], [], []]);
    },

    'moves a task in the commit that changes its state, and leaves it alone in every other': async () => {
      const taskId = await create({ state: 'A' });
      const [first] = await store().inState('A', 'sample', 1);
      await store().append(commitOf(taskId, 1));
      await store().append(commitOf(taskId, 2, { state: 'A' }));
      same(await store().inState('A', 'sample', 10), [first]);
      same(await store().append(commitOf(taskId, 2, { state: 'B' })), 'conflict');
      same([await idsIn('A'), await idsIn('B')], [[taskId], []]);
      await store().append(commitOf(taskId, 3, { state: 'B' }));
      same([await idsIn('A'), await idsIn('B')], [[], [taskId]]);
      await store().append(commitOf(taskId, 4, { state: 'A' }));
      same([await idsIn('A'), await idsIn('B')], [[taskId], []]);
    },

    'drops a task that goes': async () => {
      const task = sampleTask({ state: 'A' });
      await store().create(task);
      await store().remove(task.taskId, task.requestKey, 1);
      same([await idsIn('A'), await counts()], [[], []]);
    },

    'gives those first that came first, page after page each once': async () => {
      const ids: string[] = [];
      for (let i = 0; i < 15; i += 1) ids.push(await create({ state: 'A' }));
      const all = await store().inState('A', 'sample', 100);
      same(all.map(({ taskId }) => taskId).sort(), [...ids].sort());
      const inOrder = [...all].sort((a, b) => a.since - b.since || (a.taskId < b.taskId ? -1 : 1));
      same(all, inOrder);
      for (const limit of [1, 4, 15, 100]) {
        const walked: Listed[] = [];
        for (;;) {
          const page = await store().inState('A', 'sample', limit, walked.at(-1));
          holds(page.length <= limit, 'a page has more tasks than were asked for');
          if (page.length === 0) break;
          walked.push(...page);
        }
        same(walked, all, `the pages of ${limit}`);
      }
    },

    'counts what is there, and nothing else': async () => {
      same(await counts(), []);
      const taskId = await create({ state: 'A' });
      await create({ state: 'A' });
      await create({ state: 'A', taskType: 'other' });
      same(await counts(), [
        ['A', 'other', 1],
        ['A', 'sample', 2],
      ]);
      await store().append(commitOf(taskId, 1, { state: 'B' }));
      same(await counts(), [
        ['A', 'other', 1],
        ['A', 'sample', 1],
        ['B', 'sample', 1],
      ]);
    },
  };
};
