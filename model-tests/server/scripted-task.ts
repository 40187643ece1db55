import { TaskFailure, type Task } from '../../adapters/in-process/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import { play } from '../conformance/index.ts';

/** The scripted work of the executor's suite, by the task that handlers and workers have. */
export const scripted = (task: Task): Promise<Json> =>
  play(task, {
    failure: (code, message, retryable) => new TaskFailure(code, message, { retryable }),
    codeOf: (error) => (error instanceof TaskFailure ? error.code : undefined),
    untilStopped: () =>
      new Promise<never>((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error), { once: true })),
  });
