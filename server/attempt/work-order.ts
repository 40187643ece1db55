import type { FactPayload } from '../../machines/wire/index.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { WorkDue, WorkFailure } from './work-events.ts';
import type { ExecutionRecord } from './execution-record.ts';
import { executorOf, type ReconcileDeps } from './reconcile-step.ts';

/**
 * Asks what becomes of the work behind a task that nobody has, at a moment of the store's clock; the chart answers. Only an executor that runs work
 * on nodes loses it, and only a node that runs its type knows whether it may be repeated.
 */
export function workDue(
  { about, aggregate }: Pick<TaskRecord, 'about' | 'aggregate'>,
  now: number,
  deps: Pick<ReconcileDeps, 'executors' | 'settings'>,
): WorkDue {
  const executor = executorOf(deps, about.taskType);
  return {
    type: 'work.due',
    now,
    isCancelling: aggregate.task.matches({ active: 'cancelling' }),
    mayRepeat: executor?.leased !== true || executor.repeatable(about.taskType),
    crashesMax: executor?.leased === true ? deps.settings.crashesMax : Infinity,
  };
}

/** What people are told of work that goes on no more. */
export function failureFor(why: WorkFailure, { attempt }: ExecutionRecord): FactPayload<'TASK_FAILED'> {
  const { crashes, spared } = attempt.context;
  switch (why) {
    case 'may not be repeated':
      return workLost('The process that ran the task is gone, and its work may not be repeated.');
    case 'crashes again and again':
      return workLost(`The process that ran the task crashed ${crashes + spared} times in a row; it is not run again.`);
    case 'could not be started in time':
      return { code: 'EXECUTOR_UNREACHABLE', message: 'Nobody could be asked to run the task in time.', retryable: true };
  }
}

function workLost(message: string): FactPayload<'TASK_FAILED'> {
  return { code: 'WORK_LOST', message, retryable: true };
}
