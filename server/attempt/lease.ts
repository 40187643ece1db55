import { recordFor, isLeaseOver, isOurs, leaseUntil, type ReconcileStep } from './reconcile-step.ts';

/** Notes that whoever held the work is gone. */
export const expireLease: ReconcileStep = async (state, deps) => {
  if (!isLeaseOver(state, deps)) return false;
  const { leaseUntil: until, attempt } = state.execution.attempt.context;
  return deps.processor.execute(state.about.taskId, {
    decide: (unit) => {
      const now = unit.execution.attempt.context;
      const isSame = now.attempt === attempt && now.leaseUntil === until;
      return isSame && unit.record({ type: 'attempt.lost', startBy: unit.now + deps.settings.startWithinMs });
    },
  });
};

/**
 * Gives up work that has seen facts which the store has lost: it may wait for the answer to a question that is no longer asked. It is begun
 * again from what was saved, where it may be repeated.
 */
export const giveUpLostHistory: ReconcileStep = async (state, { running, processor, settings, logger }) => {
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  if (!running.hasLost(taskId) || running.attemptOf(taskId) !== attempt) return false;
  logger.warn('The store has lost facts of a task whose work runs here; the work is given up.', { taskId, attempt });
  return processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.context.attempt === attempt &&
      unit.record({ type: 'attempt.lost', startBy: unit.now + settings.startWithinMs }),
  });
};

/** Renews the lease of work that runs here. What only the execution record says to run here was released in a history that is lost. */
export const renewLease: ReconcileStep = async (state, deps) => {
  const { leaseUntil: until, attempt } = state.execution.attempt.context;
  if (!isOurs(state, deps) || until === null || deps.running.attemptOf(state.about.taskId) !== attempt) return false;
  // Renewed at every third of its life, give or take the pace of the looks.
  if (until - deps.time.now() > (deps.settings.leaseMs * 3) / 4) return false;
  return deps.processor.execute(state.about.taskId, {
    decide: recordFor(state, { type: 'attempt.renewed', leaseUntil: leaseUntil(deps) }),
  });
};
