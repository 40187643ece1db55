import { enterFor, isLeaseOver, isOurs, leaseUntil, type Duty } from './duty.ts';

/** Notes that whoever held the work is gone. */
export const loseIfExpired: Duty = async (state, context) => {
  if (!isLeaseOver(state, context)) return false;
  const { leaseUntil: until, attempt } = state.ledger.attempt.context;
  return context.desk.ask(state.about.taskId, {
    decide: (draft) => {
      const now = draft.ledger.attempt.context;
      const isSame = now.attempt === attempt && now.leaseUntil === until;
      return isSame && draft.enter({ type: 'attempt.lost', startBy: draft.now + context.settings.startWithinMs });
    },
  });
};

/**
 * Gives up work that has seen facts which the store has lost: it may wait for the answer to a question that is no longer asked. It is begun
 * again from what was saved, where it may be repeated.
 */
export const loseWithHistory: Duty = async (state, { holdings, desk, settings, logger }) => {
  const { taskId } = state.about;
  const { attempt } = state.ledger.attempt.context;
  if (!holdings.hasLost(taskId) || holdings.attemptOf(taskId) !== attempt) return false;
  logger.warn('The store has lost facts of a task whose work runs here; the work is given up.', { taskId, attempt });
  return desk.ask(taskId, {
    decide: (draft) =>
      draft.ledger.attempt.context.attempt === attempt &&
      draft.enter({ type: 'attempt.lost', startBy: draft.now + settings.startWithinMs }),
  });
};

/** Keeps the work that this node holds; what only the ledger says that it does was let go of in a history that is lost. */
export const renew: Duty = async (state, context) => {
  const { leaseUntil: until, attempt } = state.ledger.attempt.context;
  if (!isOurs(state, context) || until === null || context.holdings.attemptOf(state.about.taskId) !== attempt) return false;
  // Renewed at every third of its life, give or take the pace of the looks.
  if (until - context.time.now() > (context.settings.leaseMs * 3) / 4) return false;
  return context.desk.ask(state.about.taskId, { decide: enterFor(state, { type: 'attempt.renewed', leaseUntil: leaseUntil(context) }) });
};
