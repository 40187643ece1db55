import type { StartOutcome } from '../ports/executor.ts';
import { recordFor, executorOf, isOurs, leaseUntil, pauseMs, orderStop, type ReconcileStep, type ReconcileDeps } from './reconcile-step.ts';
import { nextInspection } from './inspection.ts';
import { attemptState } from './execution-record.ts';
import { withTimeLimit } from './time-limit.ts';
import { workOf } from './work.ts';

/** Claims work that nobody holds, or ends a task whose work cannot go on. */
export const claimWork: ReconcileStep = async ({ about, aggregate, execution }, deps) => {
  const { settings, nodeId, time, processor } = deps;
  const { retryAt, startBy } = execution.attempt.context;
  const now = time.now();
  const executor = executorOf(deps, about.taskType);
  if (aggregate.task.matches({ active: 'cancelling' }))
    return processor.execute(about.taskId, { decide: (unit) => unit.decide({ type: 'cancel.overdue' }).facts.length > 0 });
  if (attemptState(execution) === 'lost' && executor?.leased && !executor.repeatable(about.taskType))
    return fail(about.taskId, deps, 'WORK_LOST', 'The process that ran the task is gone, and its work may not be repeated.');
  if (startBy !== null && now >= startBy)
    return fail(about.taskId, deps, 'EXECUTOR_UNREACHABLE', 'Nobody could be asked to run the task in time.');
  if (!executor || (retryAt !== null && retryAt > now)) return false;
  const until = leaseUntil(deps);
  return processor.execute(about.taskId, {
    decide: (unit) =>
      // Somebody may have cancelled it since it was looked at: a run that begins now would never hear of it.
      !unit.aggregate.task.matches({ active: 'cancelling' }) &&
      unit.record({ type: 'attempt.claimed', node: nodeId, leaseUntil: until, startBy: now + settings.startWithinMs }),
  });
};

/** Asks the executor to start the work that this node claimed. */
export const startWork: ReconcileStep = async (state, deps, result) => {
  const { taskId, taskType } = state.about;
  const { attempt, tries } = state.execution.attempt.context;
  const { processor, settings, time, running, logger } = deps;
  const executor = executorOf(deps, taskType);
  if (!executor || !isOurs(state, deps)) return false;
  if (running.attemptOf(taskId) === attempt) return confirmStart(state, deps, result);
  if (executor.leased) running.add(taskId, attempt);
  let outcome: StartOutcome;
  try {
    // Each has its own limit: work that was gathered too late is not started, for another attempt may run by then.
    const work = await withTimeLimit(deps, settings.executorTimeoutMs, workOf(state, deps));
    outcome = await withTimeLimit(deps, settings.executorTimeoutMs, executor.start(work));
  } catch (error) {
    logger.warn('The executor could not be asked to start a task.', { taskId, attempt, tries, error });
    running.release(taskId);
    await orderStop(state, attempt, { why: 'fenced' }, deps).catch(() => undefined);
    result.tally.failed = 1;
    const retryAt = time.now() + pauseMs(deps, tries);
    return processor.execute(taskId, { decide: recordFor(state, { type: 'attempt.deferred', retryAt }) });
  }
  if (outcome.status === 'started') return confirmStart(state, deps, result);
  running.release(taskId);
  const { failure } = outcome;
  const failed = await processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.context.attempt === attempt && unit.decide({ type: 'task.fail', payload: failure }).facts.length > 0,
  });
  if (failed) result.refused = failure;
  return failed;
};

const confirmStart: ReconcileStep = async (state, deps, { tally }) => {
  const { about, execution } = state;
  const executor = executorOf(deps, about.taskType);
  const until = executor?.leased ? execution.attempt.context.leaseUntil : null;
  const retryAt = executor && nextInspection(executor, deps);
  const noted = await deps.processor.execute(about.taskId, {
    decide: recordFor(state, { type: 'attempt.started', leaseUntil: until, ...(retryAt !== undefined && { retryAt }) }),
  });
  if (noted) tally.started++;
  return noted;
};

function fail(taskId: string, { processor }: ReconcileDeps, code: string, message: string): Promise<boolean> {
  return processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.hasTag('claimable') &&
      unit.decide({ type: 'task.fail', payload: { code, message, retryable: true } }).facts.length > 0,
  });
}
