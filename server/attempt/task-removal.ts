import type { ReconcileStep } from './reconcile-step.ts';
import { contentOf } from './work.ts';

/** Removes a task whose time after its end is over, then its files; files of a task that is gone are swept. */
export const removeExpired: ReconcileStep = async ({ about, revision, execution }, deps, { tally }) => {
  const { processor, store, settings, time, attachments, records } = deps;
  if (execution.endedAt === null || execution.endedAt + settings.retainedAfterEndMs > time.now()) return false;
  const { attachments: files } = await contentOf(about.taskId, store);
  if ((await store.remove(about.taskId, about.requestKey, revision)) === 'conflict') return true;
  tally.tasksRemoved++;
  processor.forget(about.taskId);
  for (const { key } of files) await attachments?.remove(key);
  const { taskId, clientRequestId, owner: userId } = about;
  records('task.retention.pruned')?.({ taskId, clientRequestId, userId, transport: 'internal' });
  return false;
};
