import { createStore, type Store } from '../store.ts';

/** A task that was started in this browser. */
export interface RecentTask {
  readonly taskId: string;
  readonly fileName: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The last tasks, newest first; all tabs see the same. */
export interface RecentTasks extends Pick<Store<readonly RecentTask[]>, 'get' | 'subscribe'> {
  add(task: RecentTask): void;
  remove(taskId: string): void;
}

const KEY = 'taskbridge.tasks';
const TASKS_MAX = 8;

/** Keeps them in Web Storage. */
export function createRecentTasks(storage: Storage): RecentTasks {
  const store = createStore(read(storage));
  const write = (tasks: readonly RecentTask[]): void => {
    storage.setItem(KEY, JSON.stringify(tasks));
    store.set(tasks);
  };
  addEventListener('storage', ({ key }) => {
    if (key === KEY) store.set(read(storage));
  });
  return {
    get: store.get,
    subscribe: store.subscribe,
    add: (task) => write([task, ...read(storage).filter(({ taskId }) => taskId !== task.taskId)].slice(0, TASKS_MAX)),
    remove: (taskId) => write(read(storage).filter((task) => task.taskId !== taskId)),
  };
}

function read(storage: Storage): readonly RecentTask[] {
  try {
    const found: unknown = JSON.parse(storage.getItem(KEY) ?? '[]');
    // Written by this page; what somebody else put there is left alone.
    return Array.isArray(found) ? (found as readonly RecentTask[]) : [];
  } catch {
    return [];
  }
}
