import { inProcess, TaskFailure, type Task } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { play } from '../conformance/executor-script.ts';
import { describeExecutor } from '../conformance/executor-suite.ts';

const scripted = (task: Task) =>
  play(task, {
    failure: (code, message, retryable) => new TaskFailure(code, message, { retryable }),
    codeOf: (error) => (error instanceof TaskFailure ? error.code : undefined),
    untilStopped: () =>
      new Promise<never>((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error), { once: true })),
  });

describeExecutor('in-process', () => ({ executor: inProcess({ scripted }), store: memoryStore() }));
