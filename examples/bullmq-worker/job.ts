/** What a worker of the queue does with a job. */
import type { Job } from 'bullmq';
import { TaskFailure, TaskStopped, workerTask } from 'taskbridge/adapters/worker';
import type { TaskReporter } from 'taskbridge/server/reporter';
import type { ReportTask } from './build-report.ts';
import type { tasks } from './tasks.ts';

export const QUEUE = 'reports';
export const JOB = 'report.build';

/** What stands in a job: the task is read where it runs. */
export interface ReportJob {
  readonly taskId: string;
}

export function jobProcessor(reporter: TaskReporter<typeof tasks>, work: (task: ReportTask) => Promise<{ pages: number; kept: string }>) {
  return async (job: Job<ReportJob>): Promise<void> => {
    // Nothing is left to do for a task that has ended, or was to stop.
    const task = await workerTask(reporter, { taskId: job.data.taskId, taskType: JOB }).catch(passStopped);
    if (!task) return;
    try {
      await task.complete(await work(task));
    } catch (error) {
      // What another try would not mend ends the task, and so does the last try. Before that the queue tries again, from what was saved.
      const isFinal = error instanceof TaskFailure && !error.retryable;
      if (isFinal || task.signal.aborted || job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) await task.fail(error);
      else task.leave();
      throw error;
    }
  };
}

function passStopped(error: unknown): undefined {
  if (!(error instanceof TaskStopped)) throw error;
}
