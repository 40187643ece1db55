import { openSuspensions } from '../../machines/index.ts';
import type { ReconcileStep } from './reconcile-step.ts';

/** Expires the questions whose deadline has passed. */
export const expireQuestions: ReconcileStep = async ({ about, aggregate }, deps, { tally }) => {
  const now = deps.time.now();
  const due = openSuspensions(aggregate).filter(({ expiresAt }) => expiresAt != null && Date.parse(expiresAt) <= now);
  if (due.length === 0) return false;
  const expired = await deps.processor.execute(about.taskId, {
    decide: (unit) =>
      due.map(({ suspendId }) => unit.decide({ type: 'suspension.expire', suspendId, at: unit.at })).filter(({ facts }) => facts.length > 0)
        .length,
  });
  tally.questionsExpired += expired;
  return expired > 0;
};
