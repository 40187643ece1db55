import {
  recordFor,
  executorOf,
  isReachable,
  orderStop,
  type ReconcileDeps,
  type ReconcileResult,
  type ReconcileStep,
} from './reconcile-step.ts';
import type { StopOrder, TaskExecutor } from '../ports/executor.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { attemptState } from './execution-record.ts';
import { resolutionOf } from './resolution.ts';
import { noteDelivered } from './work.ts';

/** Makes the oldest pending delivery: hands over to the work how a question ended. */
export const deliverResolution: ReconcileStep = (state, deps, result) => {
  const [suspendId] = state.execution.attempt.context.pendingDeliveries;
  const executor = executorOf(deps, state.about.taskType);
  if (suspendId === undefined || !executor || !isReachable(state, deps)) return false;
  return handOver(state, suspendId, executor, deps, result);
};

async function handOver(
  state: TaskRecord,
  suspendId: string,
  executor: TaskExecutor,
  deps: ReconcileDeps,
  result: ReconcileResult,
): Promise<boolean> {
  const { taskId, clientRequestId, owner: userId } = state.about;
  const { attempt } = state.execution.attempt.context;
  const resolution = await resolutionOf(state, suspendId, deps.store);
  if (resolution) {
    await deps.call(executor, () => executor.resume({ taskId, attempt }, resolution));
    result.delivered = [...(result.delivered ?? []), suspendId];
    const { outcome } = resolution;
    deps.records('task.resume.reconciled')?.({ taskId, clientRequestId, userId, transport: 'internal', outcome });
  }
  const noted = await deps.processor.execute(taskId, {
    // Another node may have handed it over too, and written so; or the work has, with what it said since.
    decide: (unit) => unit.execution.attempt.context.attempt === attempt && noteDelivered(unit, suspendId),
  });
  if (resolution && (noted || executor.leased)) result.tally.handedOver++;
  return noted;
}

/** Notifies the work that somebody wants it to stop. */
export const deliverCancel: ReconcileStep = async (state, deps) => {
  if (attemptState(state.execution) !== 'stopping' || !isReachable(state, deps)) return false;
  const { cancelReason } = state.aggregate.task.context;
  await orderStop(
    state,
    state.execution.attempt.context.attempt,
    { why: 'cancel', ...(cancelReason !== null && { reason: cancelReason }) },
    deps,
  );
  return deps.processor.execute(state.about.taskId, { decide: recordFor(state, { type: 'cancel.delivered' }) });
};

/** Ends a task whose work had its time of grace. */
export const endOverdueCancel: ReconcileStep = async (state, deps) => {
  const { graceUntil } = state.execution.attempt.context;
  if (graceUntil === null || graceUntil > deps.time.now()) return false;
  return deps.processor.execute(state.about.taskId, { decide: (unit) => unit.decide({ type: 'cancel.overdue' }).facts.length > 0 });
};

/** Notifies the work that its task has ended, and releases it. */
export const notifyEnded: ReconcileStep = async (state, deps) => {
  const { taskId } = state.about;
  const reachable = isReachable(state, deps);
  if (!reachable && !isUnheard(state, deps)) return false;
  // It counts as running here until it was told, as a stale one does.
  if (reachable) await orderStop(state, state.execution.attempt.context.attempt, { why: 'ended' }, deps);
  deps.running.release(taskId);
  return deps.processor.execute(taskId, { decide: (unit) => unit.record({ type: 'work.released' }) });
};

/** True where there is nobody to notify: what another node holds, that node releases, and what an outside system may keep, a node that can tell it. */
function isUnheard(state: TaskRecord, deps: ReconcileDeps): boolean {
  const { node, attempt } = state.execution.attempt.context;
  // What this node claimed and does not run never began here.
  if (node !== null) return node === deps.nodeId || deps.isLeaseOver(state);
  return attempt === 0 || executorOf(deps, state.about.taskType)?.leased === true;
}

/** Stops a run on this node that is no longer the task's. */
export const stopStaleRun: ReconcileStep = (state, deps) => {
  const { taskId } = state.about;
  const running = deps.running.attemptOf(taskId);
  const isReleased = attemptState(state.execution) === 'released';
  const { attempt, node } = state.execution.attempt.context;
  // Where the store has lost our claim, another node may have claimed an attempt of the same number. What nobody holds was taken from this node.
  const isOther = running !== attempt || state.execution.attempt.hasTag('claimable') || (node ?? deps.nodeId) !== deps.nodeId;
  return running !== undefined && (isOther || isReleased) && stopped(state, running, { why: isReleased ? 'ended' : 'fenced' }, deps);
};

/** It counts as running here until it was told: where its executor cannot be told now, the next visit tries again. */
async function stopped(state: TaskRecord, running: number, order: StopOrder, deps: ReconcileDeps): Promise<boolean> {
  const { taskId } = state.about;
  await orderStop(state, running, order, deps);
  // It may have ended meanwhile by itself.
  if (deps.running.attemptOf(taskId) === running) deps.running.release(taskId);
  return true;
}
