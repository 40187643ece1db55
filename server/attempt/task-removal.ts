import type { TaskRecord } from '../task/task-record.ts';
import type { ReconcileDeps, ReconcileResult, ReconcileStep } from './reconcile-step.ts';
import { changeOf, noShares, sharesOf } from '../shares/shares-of.ts';
import { withTimeLimit } from './time-limit.ts';
import { contentOf } from './work.ts';

/** Removes a task whose time after its end is over, then its files; files of a task that is gone are swept. */
export const removeExpired: ReconcileStep = (state, deps, result) => {
  const { endedAt } = state.execution;
  return endedAt !== null && endedAt + deps.settings.retainedAfterEndMs <= deps.time.now() && removed(state, deps, result);
};

async function removed({ about, revision, execution }: TaskRecord, deps: ReconcileDeps, { tally }: ReconcileResult): Promise<boolean> {
  const { processor, store, settings, attachments, records, shares } = deps;
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
}
