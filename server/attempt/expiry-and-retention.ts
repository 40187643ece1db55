import { openSuspensions } from '../../machines/index.ts';
import type { ReconcileStep } from './reconcile-step.ts';
import { contentOf } from './work.ts';

/** Expires the questions whose deadline has passed. */
export const expireQuestions: ReconcileStep = async ({ about, aggregate }, context) => {
  const now = context.time.now();
  const due = openSuspensions(aggregate).filter(({ expiresAt }) => expiresAt != null && Date.parse(expiresAt) <= now);
  if (due.length === 0) return false;
  return context.processor.execute(about.taskId, {
    decide: (unit) =>
      due.map(({ suspendId }) => unit.decide({ type: 'suspension.expire', suspendId, at: unit.at })).some(({ facts }) => facts.length > 0),
  });
};

/** Removes a task whose time after its end is over, then its files; files of a task that is gone are swept. */
export const removeExpired: ReconcileStep = async (
  { about, revision, execution: ledger },
  { processor, store, settings, time, attachments },
) => {
  if (ledger.endedAt === null || ledger.endedAt + settings.retainedAfterEndMs > time.now()) return false;
  const { attachments: files } = await contentOf(about.taskId, store);
  if ((await store.remove(about.taskId, about.requestKey, revision)) === 'conflict') return true;
  processor.forget(about.taskId);
  for (const { key } of files) await attachments?.remove(key);
  return false;
};
