import { attemptState } from './execution-record.ts';
import { giveUp } from './giving-up.ts';
import { isOurs, orderStop, type ReconcileDeps, type ReconcileStep } from './reconcile-step.ts';
import type { TaskRecord } from '../task/task-record.ts';

/** Gives up work whose holder is gone, so that it can be claimed again. */
export const expireLease: ReconcileStep = (state, deps) => deps.isLeaseOver(state) && giveUpExpired(state, deps);

async function giveUpExpired(state: TaskRecord, deps: ReconcileDeps): Promise<boolean> {
  const { taskId } = state.about;
  const { attempt, node, leaseUntil } = state.execution.attempt.context;
  const over = deps.leaseOf(state);
  // One of a date has no row to be held to: whoever renewed it since has written another date.
  const of = { attempt, leaseUntil, ...(node !== null && { node }) };
  const isGivenUp = await giveUp(taskId, deps, { of, crashed: true, ...(over && { over }) });
  if (isGivenUp) deps.logger.warn('The node that held a task is gone; the work was given up.', { taskId, attempt, node });
  return isGivenUp;
}

/**
 * Gives up work that has seen facts which the store has lost: it may wait for the answer to a question that is no longer asked. It is begun
 * again from what was saved, where it may be repeated.
 */
export const giveUpLostHistory: ReconcileStep = (state, deps) => {
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  return deps.running.hasLost(taskId) && deps.running.attemptOf(taskId) === attempt && giveUpLost(state, deps);
};

async function giveUpLost(state: TaskRecord, deps: ReconcileDeps): Promise<boolean> {
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  deps.logger.warn('The store has lost facts of a task whose work runs here; the work is given up.', { taskId, attempt });
  await orderStop(state, attempt, { why: 'fenced' }, deps);
  // What another node has claimed under the same number is that node's.
  const isGivenUp = await giveUp(taskId, deps, { of: { attempt, node: deps.nodeId }, crashed: false });
  deps.running.release(taskId);
  return isGivenUp;
}

/**
 * Puts back what this node holds and nobody runs: an attempt that was aborted while the store was silent, or one that ended in a history that the
 * store has lost. Any node may begin it again at once.
 */
export const giveUpAborted: ReconcileStep = (state, deps) => {
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  if (!isOurs(state, deps)) return false;
  const runs = deps.running.attemptOf(taskId);
  const isAborted = runs === attempt && deps.running.isAborted(taskId);
  // What is claimed and not yet started is about to be.
  const isForgotten = runs === undefined && attemptState(state.execution) !== 'starting';
  return (isAborted || isForgotten) && putBack(state, deps, isAborted);
};

async function putBack(state: TaskRecord, deps: ReconcileDeps, isAborted: boolean): Promise<boolean> {
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  const isGivenUp = await giveUp(taskId, deps, { of: { attempt, node: deps.nodeId }, crashed: false });
  deps.running.release(taskId);
  if (isGivenUp) deps.logger.warn('Work that this node holds does not run here any more; it was put back.', { taskId, attempt, isAborted });
  return isGivenUp;
}
