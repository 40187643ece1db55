import type { ReconcileStep } from './reconcile-step.ts';
import { changeOf, noShares, sharesOf } from '../shares/shares-of.ts';
import { withTimeLimit } from './time-limit.ts';
import { contentOf } from './work.ts';

/** Removes a task whose time after its end is over, then its files; files of a task that is gone are swept. */
export const removeExpired: ReconcileStep = async ({ about, revision, execution }, deps, { tally }) => {
  const { processor, store, settings, time, attachments, records, shares } = deps;
  if (execution.endedAt === null || execution.endedAt + settings.retainedAfterEndMs > time.now()) return false;
  const { attachments: files } = await contentOf(about.taskId, store);
  const removing = store.remove(about.taskId, about.requestKey, revision);
  // That it succeeds is no proof: what makes room passes where nothing else does.
  if ((await processor.lastWrites.note(removing, () => false)) === 'conflict') return true;
  tally.tasksRemoved++;
  processor.forget(about.taskId);
  shares.note(about, changeOf(sharesOf(execution), noShares));
  // One that never answers must not hold this look, and with it the end of the process; the sweep deletes what is left.
  if (attachments) for (const { key } of files) await withTimeLimit(deps, settings.executorTimeoutMs, attachments.remove(key));
  const { taskId, clientRequestId, owner: userId } = about;
  records('task.retention.pruned')?.({ taskId, clientRequestId, userId, transport: 'internal' });
  return false;
};
