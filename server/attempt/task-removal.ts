import type { DecisionSource } from '../actors/unit-trace.ts';
import { decision } from '../task/early-decision.ts';
import { sideValueNames, type TaskRecord } from '../task/task-record.ts';
import type { ReconcileDeps, ReconcileResult, ReconcileStep } from './reconcile-step.ts';
import { parseAttachments } from '../task/stored-attachments.ts';
import { changeOf, noShares, sharesOf } from '../shares/shares-of.ts';
import { withTimeLimit } from './time-limit.ts';
import type { AttachmentReference } from '../ports/attachments.ts';
import { parsedContent } from './work.ts';

/** A file of a task: one that it was created with, or that its work has made. */
type StoredFile = Pick<AttachmentReference, 'key'>;

/** What a task is removed with. */
export type TaskRemovalDeps = Pick<ReconcileDeps, 'processor' | 'store' | 'settings' | 'attachments' | 'shares' | 'clock'>;

/** Removes a task whose time after its end is over, then its files; files of a task that is gone are swept. */
export const removeExpired: ReconcileStep = (state, deps, result) => {
  const { endedAt } = state.execution;
  return endedAt !== null && endedAt + deps.settings.retainedAfterEndMs <= deps.time.now() && remove(state, deps, result);
};

async function remove(state: TaskRecord, deps: ReconcileDeps, { tally }: ReconcileResult): Promise<boolean> {
  const files = await dropTask(state, deps, 'scheduler');
  if (!files) return true;
  tally.tasksRemoved++;
  await removeFiles(files, deps);
  const { taskId, clientRequestId, owner: userId } = state.about;
  deps.records('task.retention.pruned')?.({ taskId, clientRequestId, userId, transport: 'internal' });
  return false;
}

/**
 * Removes a task as this node has seen it, with its name and request key in the same step where that can be, and gives the files that it had. Undefined, and
 * nothing done, where it was changed or removed since. A crash after the step leaves files, which are swept, and counts that are found again.
 */
export async function dropTask(
  record: TaskRecord,
  { processor, store, shares }: TaskRemovalDeps,
  source: DecisionSource,
): Promise<readonly StoredFile[] | undefined> {
  const { about, revision, execution } = record;
  const { taskId, requestKey } = about;
  const written = shares.writing(about.owner);
  try {
    const [content, made] = await store.sideValues(taskId, [sideValueNames.content, sideValueNames.attachments]);
    const removing = store.remove(taskId, requestKey, revision);
    // That it succeeds is no proof: what makes room passes where nothing else does.
    const removed = await processor.lastWrites.note('remove', removing, {
      isWritten: (answer) => answer === 'removed',
      proves: () => false,
    });
    if (removed === 'removed') {
      processor.forget(taskId);
      processor.decided(() => ({ before: record, after: undefined, entries: [decision(source, { type: 'task.remove' })] }));
      shares.note(about, changeOf(sharesOf(execution), noShares));
      return [...(content === undefined ? [] : parsedContent(content).attachments), ...(made === undefined ? [] : parseAttachments(made))];
    }
  } catch (error) {
    // It may be gone all the same.
    processor.doubt(taskId);
    shares.doubt(about.owner);
    throw error;
  } finally {
    written();
  }
  processor.doubt(taskId);
  return undefined;
}

/** Removes the files of a task that is gone. What fails is swept later. */
export async function removeFiles(files: readonly StoredFile[], deps: TaskRemovalDeps): Promise<void> {
  const { attachments, settings } = deps;
  // One that never answers must not hold this look, and with it the end of the process; the sweep deletes what is left.
  if (attachments) for (const { key } of files) await withTimeLimit(deps, settings.executorTimeoutMs, attachments.remove(key));
}
