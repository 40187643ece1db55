/** The executor of the host: tasks are jobs of a queue. */
import type { Queue } from 'bullmq';
import type { TaskExecutor } from 'taskbridge/server';
import { JOB, type ReportJob } from './job.ts';
import { tasks } from './tasks.ts';

export function queueExecutor(queue: Queue<ReportJob>): TaskExecutor {
  /** Has a job for the task in the queue, one at a time: does nothing where it is there, waits or runs. */
  async function enqueue(taskId: string): Promise<void> {
    const job = await queue.getJob(taskId);
    if (job && isOver(await job.getState())) await job.remove();
    await queue.add(JOB, { taskId }, { jobId: taskId, attempts: 3, backoff: { type: 'exponential', delay: 1000 } });
  }

  return {
    name: 'bullmq',
    // The work outlives the host.
    leased: false,
    contract: tasks,
    types: [JOB],
    handles: (taskType) => taskType === JOB,
    repeatable: () => true,
    async start({ taskId }) {
      await enqueue(taskId);
      return { status: 'started' };
    },
    // A run that lives hears of answers and cancels by itself; where none does, the job is queued once more.
    resume: ({ taskId }) => enqueue(taskId),
    async cancel({ taskId }, { why }) {
      if (why === 'cancel') await enqueue(taskId);
    },
    async inspect({ taskId }) {
      const job = await queue.getJob(taskId);
      // Of a task that has ended nobody asks: this job has ended without it, or was given up by the queue.
      if (job && isOver(await job.getState())) {
        const message = 'The queue has given the job up.';
        return { status: 'ended', end: { type: 'report.failed', payload: { code: 'WORK_LOST', message, retryable: true } } };
      }
      // One that the queue has lost is put back.
      await enqueue(taskId);
      return { status: 'running' };
    },
  };
}

function isOver(state: string): boolean {
  return state === 'completed' || state === 'failed';
}
