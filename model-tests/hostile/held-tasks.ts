import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import type { TaskExecutor } from 'taskbridge/server';

/** An executor whose handlers wait for the test to speak for them. */
export interface HeldTasks {
  readonly executor: TaskExecutor;
  /** The task as its handler sees it, once it runs. */
  of(taskId: string): Promise<Task>;
  /** True from the call of its handler until that ends. */
  isRunning(taskId: string): boolean;
  /** Ends it: with a throw, where there is one. */
  end(taskId: string, error?: Error): void;
}

/** Takes every type of task. */
export function heldTasks(): HeldTasks {
  const running = new Map<string, { readonly task: Task; readonly end: (error?: Error) => void }>();
  const working = new Set<string>();
  const waiting = new Map<string, (task: Task) => void>();
  const hold = (task: Task) =>
    new Promise<void>((resolve, reject) => {
      working.add(task.taskId);
      running.set(task.taskId, { task, end: (error) => (error ? reject(error) : resolve()) });
      task.signal.addEventListener('abort', () => reject(task.signal.reason as Error));
      waiting.get(task.taskId)?.(task);
    }).finally(() => working.delete(task.taskId));
  const inner = inProcess({ hold });
  return {
    executor: { ...inner, handles: () => true, start: (work) => inner.start({ ...work, taskType: 'hold' }) },
    of: (taskId) => {
      const known = running.get(taskId);
      return known ? Promise.resolve(known.task) : new Promise((resolve) => waiting.set(taskId, resolve));
    },
    isRunning: (taskId) => working.has(taskId),
    end: (taskId, error) => running.get(taskId)?.end(error),
  };
}
