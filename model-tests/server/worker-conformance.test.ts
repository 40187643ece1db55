import { describe, it } from 'vitest';
import { memoryStore } from 'taskbridge/adapters/memory';
import { TaskStopped, workerTask } from 'taskbridge/adapters/worker';
import { createTaskReporter, type TaskReporter } from 'taskbridge/server/reporter';
import type { TaskExecutor } from '../../server/index.ts';
import { defineTests, executorSuite } from '../conformance/index.ts';
import { faultyStore } from './faulty-store.ts';
import { scripted } from './scripted-task.ts';

/** A queue that runs each job once more for whatever there is to hear, in workers that know nothing of the host. */
function queueOf(reporter: TaskReporter<undefined>): TaskExecutor {
  const running = new Set<string>();
  async function run(taskId: string): Promise<void> {
    const task = await workerTask(reporter, { taskId });
    try {
      await task.complete(await scripted(task));
    } catch (error) {
      await task.fail(error);
    }
  }
  function enqueue(taskId: string): void {
    if (running.has(taskId)) return;
    running.add(taskId);
    run(taskId)
      .catch((error: unknown) => {
        if (!(error instanceof TaskStopped)) throw error;
      })
      .finally(() => running.delete(taskId));
  }
  return {
    name: 'queue',
    leased: false,
    handles: (taskType) => taskType === 'scripted',
    types: ['scripted'],
    repeatable: () => true,
    start: async ({ taskId }) => (enqueue(taskId), { status: 'started' }),
    resume: async ({ taskId }) => enqueue(taskId),
    cancel: async ({ taskId }, { why }) => (why === 'cancel' ? enqueue(taskId) : undefined),
  };
}

defineTests({ describe, it }, executorSuite, 'workers of a queue', async () => {
  const memory = memoryStore();
  const store = { ...faultyStore(memory, { shared: true }), open: () => memory.open(), close: () => memory.close() };
  return { executor: queueOf(createTaskReporter({ store, logger: { warn: () => undefined, error: () => undefined } })), store };
});
