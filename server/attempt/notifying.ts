import { recordFor, executorOf, isLeaseOver, isOurs, isReachable, orderStop, type ReconcileStep } from './reconcile-step.ts';
import { attemptState } from './execution-record.ts';
import { withTimeLimit } from './time-limit.ts';
import { resolutionOf } from './work.ts';

/** Tells the work how its oldest untold question ended. */
export const deliverResolution: ReconcileStep = async (state, context) => {
  const [suspendId] = state.execution.attempt.context.pendingDeliveries;
  const executor = executorOf(context, state.about.taskType);
  if (suspendId === undefined || !executor || !isReachable(state, context)) return false;
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  const resolution = await resolutionOf(state, suspendId, context.store);
  if (resolution) await withTimeLimit(context, context.settings.executorTimeoutMs, executor.resume({ taskId, attempt }, resolution));
  return context.processor.execute(taskId, { decide: recordFor(state, { type: 'resolution.delivered', suspendId }) });
};

/** Tells the work that somebody wants it to stop. */
export const deliverCancel: ReconcileStep = async (state, context) => {
  if (attemptState(state.execution) !== 'stopping' || !isReachable(state, context)) return false;
  const { cancelReason } = state.aggregate.task.context;
  await orderStop(
    state,
    state.execution.attempt.context.attempt,
    { why: 'cancel', ...(cancelReason !== null && { reason: cancelReason }) },
    context,
  );
  return context.processor.execute(state.about.taskId, { decide: recordFor(state, { type: 'cancel.delivered' }) });
};

/** Ends a task whose work had its time of grace. */
export const endOverdueCancel: ReconcileStep = async (state, context) => {
  const { graceUntil } = state.execution.attempt.context;
  if (graceUntil === null || graceUntil > context.time.now()) return false;
  return context.processor.execute(state.about.taskId, { decide: (unit) => unit.decide({ type: 'cancel.overdue' }).facts.length > 0 });
};

/** Tells the work that its task has ended, and lets go of it. */
export const notifyEnded: ReconcileStep = async (state, context) => {
  const { leaseUntil, attempt } = state.execution.attempt.context;
  const reachable = isReachable(state, context);
  // What another node holds, that node lets go of. What this one claimed and does not hold never began.
  if (!reachable && leaseUntil !== null && !isOurs(state, context) && !isLeaseOver(state, context)) return false;
  context.running.release(state.about.taskId);
  if (reachable) await orderStop(state, attempt, { why: 'ended' }, context);
  return context.processor.execute(state.about.taskId, { decide: (unit) => unit.record({ type: 'work.released' }) });
};

/** Stops a run on this node that is no longer the task's. */
export const stopStaleRun: ReconcileStep = async (state, context) => {
  const { taskId } = state.about;
  const held = context.running.attemptOf(taskId);
  const isReleased = attemptState(state.execution) === 'released';
  const { attempt, node } = state.execution.attempt.context;
  // Where the store has lost our claim, another node may have claimed an attempt of the same number.
  const isOther = held !== attempt || (node ?? context.nodeId) !== context.nodeId;
  if (held === undefined || (!isOther && !isReleased)) return false;
  context.running.release(taskId);
  await orderStop(state, held, { why: isReleased ? 'ended' : 'fenced' }, context);
  return true;
};
