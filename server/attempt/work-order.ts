import type { FactPayload } from '../../machines/wire/index.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { WorkFailure, WorkOrder } from './work-events.ts';
import { workOrder, type ExecutionRecord } from './execution-record.ts';
import { executorOf, type ReconcileDeps } from './reconcile-step.ts';

/**
 * What becomes of the work behind a task that nobody has, at a moment of the store's clock: the chart says so. Undefined while it rests, and where
 * somebody has it. Only an executor that runs work on nodes loses it, and only a node that runs its type knows whether it may be repeated.
 */
export function orderFor(
  { about, aggregate, execution }: Pick<TaskRecord, 'about' | 'aggregate' | 'execution'>,
  now: number,
  deps: Pick<ReconcileDeps, 'executors' | 'settings'>,
): WorkOrder | undefined {
  const executor = executorOf(deps, about.taskType);
  return workOrder(execution, {
    type: 'work.due',
    now,
    isCancelling: aggregate.task.matches({ active: 'cancelling' }),
    mayRepeat: executor?.leased !== true || executor.repeatable(about.taskType),
    crashesMax: executor?.leased === true ? deps.settings.crashesMax : Infinity,
  });
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
