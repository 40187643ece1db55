import type { TaskExecutor, Work, WorkStatus } from '../../server/index.ts';

/** An executor whose work runs elsewhere, and what it was told. */
export interface WorkerExecutor {
  readonly executor: TaskExecutor;
  readonly started: readonly Work[];
  /** Answers and orders to stop. */
  readonly told: readonly unknown[];
}

/** Makes one; with an answer it is asked how its work stands. */
export function workerExecutor(standing?: () => WorkStatus): WorkerExecutor {
  const started: Work[] = [];
  const told: unknown[] = [];
  const executor: TaskExecutor = {
    name: 'outside',
    leased: false,
    handles: () => true,
    repeatable: () => true,
    start: (work) => {
      started.push(work);
      return Promise.resolve({ status: 'started' });
    },
    resume: (_attempt, resolution) => Promise.resolve(void told.push(resolution)),
    cancel: (_attempt, order) => Promise.resolve(void told.push(order)),
    ...(standing && { inspect: () => Promise.resolve(standing()) }),
  };
  return { executor, started, told };
}
