import { inProcess, TaskFailure, type Task } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { describe, it } from 'vitest';
import { defineTests, executorSuite, play } from '../conformance/index.ts';

const scripted = (task: Task) =>
  play(task, {
    failure: (code, message, retryable) => new TaskFailure(code, message, { retryable }),
    codeOf: (error) => (error instanceof TaskFailure ? error.code : undefined),
    untilStopped: () =>
      new Promise<never>((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error), { once: true })),
  });

defineTests({ describe, it }, executorSuite, 'in-process', async () => ({ executor: inProcess({ scripted }), store: memoryStore() }));
