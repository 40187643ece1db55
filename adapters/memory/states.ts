import type { Listed, OwnerRegistry } from '../../server/ports/index.ts';
import type { Memory, StateRow, TaskRow } from './memory.ts';
import { compareTexts, Ranking } from './ranking.ts';

/** Tasks by state. */
export function listsOf(needOpen: () => Memory): Pick<OwnerRegistry, 'inState' | 'counts'> {
  return {
    async inState(state, taskType, limit, after) {
      return needOpen().states.get(keyOf(state, taskType))?.tasks.page(limit, after) ?? [];
    },

    async counts() {
      return [...needOpen().states.values()].map(({ state, taskType, tasks }) => ({ state, taskType, count: tasks.size }));
    },
  };
}

/** Lists a task that is new, or that came to another state. */
export function setState(memory: Memory, task: TaskRow, state: string, now: number): void {
  dropState(memory, task);
  task.state = state;
  task.since = now;
  const { taskId, taskType } = task;
  const key = keyOf(state, taskType);
  const row: StateRow = memory.states.get(key) ?? { state, taskType, tasks: new Ranking(compareListed) };
  memory.states.set(key, row);
  row.tasks.add({ taskId, since: now });
}

/** Lists a task no more. */
export function dropState({ states }: Memory, { taskId, taskType, state, since }: TaskRow): void {
  const key = keyOf(state, taskType);
  const row = states.get(key);
  row?.tasks.remove({ taskId, since });
  if (row?.tasks.size === 0) states.delete(key);
}

function keyOf(state: string, taskType: string): string {
  return JSON.stringify([state, taskType]);
}

/** Who came first comes first. */
function compareListed(a: Listed, b: Listed): number {
  return a.since - b.since || compareTexts(a.taskId, b.taskId);
}
