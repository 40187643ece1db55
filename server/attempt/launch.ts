import type { StartOutcome } from '../ports/executor.ts';
import { enterFor, executorOf, isOurs, leaseUntil, pauseMs, tellToStop, type Duty, type DutyContext } from './duty.ts';
import { nextInspection } from './inspection.ts';
import { attemptState } from './ledger.ts';
import { within } from './time-limit.ts';
import { workOf } from './work.ts';

/** Takes work that nobody holds, or ends a task whose work cannot go on. */
export const claim: Duty = async ({ about, aggregate, ledger }, context) => {
  const { settings, nodeId, time, desk } = context;
  const { retryAt, startBy } = ledger.attempt.context;
  const now = time.now();
  const executor = executorOf(context, about.taskType);
  if (aggregate.task.matches({ active: 'cancelling' }))
    return desk.ask(about.taskId, { decide: (draft) => draft.decide({ type: 'cancel.overdue' }).facts.length > 0 });
  if (attemptState(ledger) === 'lost' && executor?.leased && !executor.repeatable(about.taskType))
    return fail(about.taskId, context, 'WORK_LOST', 'The process that ran the task is gone, and its work may not be repeated.');
  if (startBy !== null && now >= startBy)
    return fail(about.taskId, context, 'EXECUTOR_UNREACHABLE', 'Nobody could be asked to run the task in time.');
  if (!executor || (retryAt !== null && retryAt > now)) return false;
  const until = leaseUntil(context);
  return desk.ask(about.taskId, {
    decide: (draft) => draft.enter({ type: 'attempt.claimed', node: nodeId, leaseUntil: until, startBy: now + settings.startWithinMs }),
  });
};

/** Asks the executor to start the work that this node took. */
export const start: Duty = async (state, context, visited) => {
  const { taskId, taskType } = state.about;
  const { attempt, tries } = state.ledger.attempt.context;
  const { desk, settings, time, holdings, logger } = context;
  const executor = executorOf(context, taskType);
  if (!executor || !isOurs(state, context)) return false;
  if (holdings.attemptOf(taskId) === attempt) return confirmStart(state, context, visited);
  if (executor.leased) holdings.hold(taskId, attempt);
  let outcome: StartOutcome;
  try {
    // Each has its own limit: work that was gathered too late is not started, for another attempt may run by then.
    const work = await within(context, settings.executorTimeoutMs, workOf(state, context));
    outcome = await within(context, settings.executorTimeoutMs, executor.start(work));
  } catch (error) {
    logger.warn('The executor could not be asked to start a task.', { taskId, attempt, tries, error });
    holdings.release(taskId);
    await tellToStop(state, attempt, { why: 'fenced' }, context).catch(() => undefined);
    const retryAt = time.now() + pauseMs(context, tries);
    return desk.ask(taskId, { decide: enterFor(state, { type: 'attempt.deferred', retryAt }) });
  }
  if (outcome.status === 'started') return confirmStart(state, context, visited);
  holdings.release(taskId);
  const { failure } = outcome;
  const failed = await desk.ask(taskId, {
    decide: (draft) =>
      draft.ledger.attempt.context.attempt === attempt && draft.decide({ type: 'task.fail', payload: failure }).facts.length > 0,
  });
  if (failed) visited.refused = failure;
  return failed;
};

const confirmStart: Duty = async (state, context) => {
  const { about, ledger } = state;
  const executor = executorOf(context, about.taskType);
  const until = executor?.leased ? ledger.attempt.context.leaseUntil : null;
  const retryAt = executor && nextInspection(executor, context);
  return context.desk.ask(about.taskId, {
    decide: enterFor(state, { type: 'attempt.started', leaseUntil: until, ...(retryAt !== undefined && { retryAt }) }),
  });
};

function fail(taskId: string, { desk }: DutyContext, code: string, message: string): Promise<boolean> {
  return desk.ask(taskId, {
    decide: (draft) =>
      draft.ledger.attempt.hasTag('claimable') &&
      draft.decide({ type: 'task.fail', payload: { code, message, retryable: true } }).facts.length > 0,
  });
}
