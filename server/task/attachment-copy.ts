import type { Readable } from 'node:stream';
import { withTimeLimit } from '../attempt/time-limit.ts';
import { TaskBridgeError } from '../errors.ts';
import { putFile } from '../http/multipart/files.ts';
import { removeAll } from '../http/multipart/upload.ts';
import type { AttachmentReference, AttachmentStore } from '../ports/attachments.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';

/** So long the copies of one task's files may take, in milliseconds: far less than a file without a task is left alone. */
export const COPY_MS = 5 * 60 * 1000;

/** What files are copied with. */
export interface AttachmentCopiesDeps {
  readonly attachments: AttachmentStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Files under keys of a task that is not written yet. */
export interface AttachmentCopies {
  readonly references: readonly AttachmentReference[];
  /** Removes all of them. Never throws. */
  discard(): Promise<void>;
}

/**
 * Copies files for another task, one after the other: each task has its own, and whatever removes one takes those of no other. Where it fails nothing is
 * left of them. Throws `STORE_UNAVAILABLE`, also where {@link COPY_MS} are over.
 */
export async function copyAttachments(
  files: readonly AttachmentReference[],
  taskId: string,
  deps: AttachmentCopiesDeps,
): Promise<AttachmentCopies> {
  const { attachments } = deps;
  const references = files.map((file, index): AttachmentReference => ({ ...file, key: `${taskId}/${index}` }));
  const keys: string[] = [];
  const discard = (): Promise<void> => removeAll(keys, deps);
  let source: Readable | undefined;
  let isOver = false;
  const copy = async (): Promise<void> => {
    for (const [index, { key }] of files.entries()) {
      source = await attachments.open(key);
      if (isOver) return void source.destroy();
      keys.push(`${taskId}/${index}`);
      await putFile(attachments, `${taskId}/${index}`, source);
    }
  };
  try {
    await withTimeLimit(deps, COPY_MS, copy());
    return { references, discard };
  } catch (error) {
    isOver = true;
    source?.destroy();
    await discard();
    if (error instanceof TaskBridgeError) throw error;
    deps.logger.warn('The files of a task could not be copied for one that starts it again.', { taskId, error });
    throw new TaskBridgeError('STORE_UNAVAILABLE', 'The files of the task could not be copied; try again later.', {
      retryAfterSeconds: 5,
      cause: error,
    });
  }
}
