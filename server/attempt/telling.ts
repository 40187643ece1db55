import { enterFor, executorOf, isLeaseOver, isOurs, isReachable, tellToStop, type Duty } from './duty.ts';
import { attemptState } from './ledger.ts';
import { within } from './time-limit.ts';
import { resolutionOf } from './work.ts';

/** Tells the work how its oldest untold question ended. */
export const handOver: Duty = async (state, context) => {
  const [suspendId] = state.ledger.attempt.context.owed;
  const executor = executorOf(context, state.about.taskType);
  if (suspendId === undefined || !executor || !isReachable(state, context)) return false;
  const { taskId } = state.about;
  const { attempt } = state.ledger.attempt.context;
  const resolution = await resolutionOf(state, suspendId, context.store);
  if (resolution) await within(context, context.settings.executorTimeoutMs, executor.resume({ taskId, attempt }, resolution));
  return context.desk.ask(taskId, { decide: enterFor(state, { type: 'resolution.told', suspendId }) });
};

/** Tells the work that somebody wants it to stop. */
export const handOverCancel: Duty = async (state, context) => {
  if (attemptState(state.ledger) !== 'stopping' || !isReachable(state, context)) return false;
  const { cancelReason } = state.aggregate.task.context;
  await tellToStop(
    state,
    state.ledger.attempt.context.attempt,
    { why: 'cancel', ...(cancelReason !== null && { reason: cancelReason }) },
    context,
  );
  return context.desk.ask(state.about.taskId, { decide: enterFor(state, { type: 'cancel.told' }) });
};

/** Ends a task whose work had its time of grace. */
export const endOverdueCancel: Duty = async (state, context) => {
  const { graceUntil } = state.ledger.attempt.context;
  if (graceUntil === null || graceUntil > context.time.now()) return false;
  return context.desk.ask(state.about.taskId, { decide: (draft) => draft.decide({ type: 'cancel.overdue' }).facts.length > 0 });
};

/** Tells the work that its task has ended, and lets go of it. */
export const sayEnded: Duty = async (state, context) => {
  const { leaseUntil, attempt } = state.ledger.attempt.context;
  const reachable = isReachable(state, context);
  // What another node holds, that node lets go of. What this one claimed and does not hold never began.
  if (!reachable && leaseUntil !== null && !isOurs(state, context) && !isLeaseOver(state, context)) return false;
  context.holdings.release(state.about.taskId);
  if (reachable) await tellToStop(state, attempt, { why: 'ended' }, context);
  return context.desk.ask(state.about.taskId, { decide: (draft) => draft.enter({ type: 'work.released' }) });
};

/** Stops a run on this node that is no longer the task's. */
export const dropStale: Duty = async (state, context) => {
  const { taskId } = state.about;
  const held = context.holdings.attemptOf(taskId);
  const isReleased = attemptState(state.ledger) === 'released';
  const { attempt, node } = state.ledger.attempt.context;
  // Where the store has lost our claim, another node may have claimed an attempt of the same number.
  const isOther = held !== attempt || (node ?? context.nodeId) !== context.nodeId;
  if (held === undefined || (!isOther && !isReleased)) return false;
  context.holdings.release(taskId);
  await tellToStop(state, held, { why: isReleased ? 'ended' : 'fenced' }, context);
  return true;
};
