import type { StartOutcome } from '../ports/executor.ts';
import { recordFor, executorOf, isOurs, leaseUntil, pauseMs, orderStop, type ReconcileStep, type ReconcileDeps } from './reconcile-step.ts';
import { nextInspection } from './inspection.ts';
import { attemptState } from './execution-record.ts';
import { withTimeLimit } from './time-limit.ts';
import { workOf } from './work.ts';

/** Takes work that nobody holds, or ends a task whose work cannot go on. */
export const claimWork: ReconcileStep = async ({ about, aggregate, execution: ledger }, context) => {
  const { settings, nodeId, time, processor } = context;
  const { retryAt, startBy } = ledger.attempt.context;
  const now = time.now();
  const executor = executorOf(context, about.taskType);
  if (aggregate.task.matches({ active: 'cancelling' }))
    return processor.execute(about.taskId, { decide: (unit) => unit.decide({ type: 'cancel.overdue' }).facts.length > 0 });
  if (attemptState(ledger) === 'lost' && executor?.leased && !executor.repeatable(about.taskType))
    return fail(about.taskId, context, 'WORK_LOST', 'The process that ran the task is gone, and its work may not be repeated.');
  if (startBy !== null && now >= startBy)
    return fail(about.taskId, context, 'EXECUTOR_UNREACHABLE', 'Nobody could be asked to run the task in time.');
  if (!executor || (retryAt !== null && retryAt > now)) return false;
  const until = leaseUntil(context);
  return processor.execute(about.taskId, {
    decide: (unit) => unit.record({ type: 'attempt.claimed', node: nodeId, leaseUntil: until, startBy: now + settings.startWithinMs }),
  });
};

/** Asks the executor to start the work that this node took. */
export const startWork: ReconcileStep = async (state, context, result) => {
  const { taskId, taskType } = state.about;
  const { attempt, tries } = state.execution.attempt.context;
  const { processor, settings, time, running, logger } = context;
  const executor = executorOf(context, taskType);
  if (!executor || !isOurs(state, context)) return false;
  if (running.attemptOf(taskId) === attempt) return confirmStart(state, context, result);
  if (executor.leased) running.hold(taskId, attempt);
  let outcome: StartOutcome;
  try {
    // Each has its own limit: work that was gathered too late is not started, for another attempt may run by then.
    const work = await withTimeLimit(context, settings.executorTimeoutMs, workOf(state, context));
    outcome = await withTimeLimit(context, settings.executorTimeoutMs, executor.start(work));
  } catch (error) {
    logger.warn('The executor could not be asked to start a task.', { taskId, attempt, tries, error });
    running.release(taskId);
    await orderStop(state, attempt, { why: 'fenced' }, context).catch(() => undefined);
    const retryAt = time.now() + pauseMs(context, tries);
    return processor.execute(taskId, { decide: recordFor(state, { type: 'attempt.deferred', retryAt }) });
  }
  if (outcome.status === 'started') return confirmStart(state, context, result);
  running.release(taskId);
  const { failure } = outcome;
  const failed = await processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.context.attempt === attempt && unit.decide({ type: 'task.fail', payload: failure }).facts.length > 0,
  });
  if (failed) result.refused = failure;
  return failed;
};

const confirmStart: ReconcileStep = async (state, context) => {
  const { about, execution: ledger } = state;
  const executor = executorOf(context, about.taskType);
  const until = executor?.leased ? ledger.attempt.context.leaseUntil : null;
  const retryAt = executor && nextInspection(executor, context);
  return context.processor.execute(about.taskId, {
    decide: recordFor(state, { type: 'attempt.started', leaseUntil: until, ...(retryAt !== undefined && { retryAt }) }),
  });
};

function fail(taskId: string, { processor }: ReconcileDeps, code: string, message: string): Promise<boolean> {
  return processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.hasTag('claimable') &&
      unit.decide({ type: 'task.fail', payload: { code, message, retryable: true } }).facts.length > 0,
  });
}
