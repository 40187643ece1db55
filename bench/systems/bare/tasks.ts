import type { Redis } from 'ioredis';
import type { BenchedSystem } from '../system.ts';
import { cpuMicroseconds, lanes, settledMemory } from '../own-process.ts';
import { BareTask } from './commit.ts';

/** The methods of every bare system: its facts go through the smallest commit, its viewers hear of them from Redis. */
export function bareMethods(redis: Redis, onCreated: (task: BareTask) => Promise<void> = async () => undefined): BenchedSystem {
  const tasks = new Map<string, BareTask>();

  function taskOf(taskId: string | undefined): BareTask {
    const task = tasks.get(taskId ?? '');
    if (!task) throw new Error(`There is no task ${taskId}.`);
    return task;
  }

  return {
    async createTasks({ count }) {
      const created = Array.from({ length: count }, () => new BareTask(redis));
      for (const task of created) {
        tasks.set(task.taskId, task);
        await onCreated(task);
      }
      return created.map(({ taskId }) => taskId);
    },
    async append({ tasks: taskIds, inFlight, group, ms }) {
      let facts = 0;
      const took = await lanes(inFlight, ms, async (lane) => {
        await taskOf(taskIds[lane % taskIds.length]).commit(group);
        facts += group;
      });
      return { facts, ms: took };
    },
    publish: ({ taskId, count, at }) => void taskOf(taskId).commit(count, at),
    async fill({ taskId, count }) {
      const task = taskOf(taskId);
      const after = task.lastEventId;
      for (let left = count; left > 0; left -= 250) await task.commit(Math.min(left, 250));
      return after;
    },
    async appendEach({ tasks: taskIds, each }) {
      const begun = performance.now();
      for (const taskId of taskIds) for (let i = 0; i < each; i += 1) await taskOf(taskId).commit(1);
      return performance.now() - begun;
    },
    cpu: cpuMicroseconds,
    memory: settledMemory,
  };
}
