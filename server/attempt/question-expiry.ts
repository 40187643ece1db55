import { openSuspensions } from '../../machines/index.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { ReconcileDeps, ReconcileResult, ReconcileStep } from './reconcile-step.ts';

/** Expires the questions whose deadline has passed. */
export const expireQuestions: ReconcileStep = (state, deps, result) => {
  if (state.aggregate.suspensions.size === 0) return false;
  const now = deps.time.now();
  const due = openSuspensions(state.aggregate).filter(({ expiresAt }) => expiresAt != null && Date.parse(expiresAt) <= now);
  return due.length > 0 && expired(state, due, deps, result);
};

async function expired(
  { about }: TaskRecord,
  due: readonly { readonly suspendId: string }[],
  deps: ReconcileDeps,
  { tally }: ReconcileResult,
): Promise<boolean> {
  const count = await deps.processor.execute(about.taskId, {
    decide: (unit) =>
      due.map(({ suspendId }) => unit.decide({ type: 'suspension.expire', suspendId, at: unit.at })).filter(({ facts }) => facts.length > 0)
        .length,
  });
  tally.questionsExpired += count;
  return count > 0;
}
