import { openSuspensions } from '../../machines/index.ts';
import type { Duty } from './duty.ts';
import { contentOf } from './work.ts';

/** Expires the questions whose deadline has passed. */
export const expireQuestions: Duty = async ({ about, aggregate }, context) => {
  const now = context.time.now();
  const due = openSuspensions(aggregate).filter(({ expiresAt }) => expiresAt != null && Date.parse(expiresAt) <= now);
  if (due.length === 0) return false;
  return context.desk.ask(about.taskId, {
    decide: (draft) =>
      due
        .map(({ suspendId }) => draft.decide({ type: 'suspension.expire', suspendId, at: draft.at }))
        .some(({ facts }) => facts.length > 0),
  });
};

/** Removes a task whose time after its end is over, then its files; files of a task that is gone are swept. */
export const retire: Duty = async ({ about, revision, ledger }, { desk, store, settings, time, attachments }) => {
  if (ledger.endedAt === null || ledger.endedAt + settings.retainedAfterEndMs > time.now()) return false;
  const { attachments: files } = await contentOf(about.taskId, store);
  if ((await store.remove(about.taskId, about.requestKey, revision)) === 'conflict') return true;
  desk.forget(about.taskId);
  for (const { key } of files) await attachments?.remove(key);
  return false;
};
