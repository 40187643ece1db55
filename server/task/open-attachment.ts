import { TaskBridgeError } from '../errors.ts';
import { asTaskBridgeError } from './command-processor.ts';
import { parseAttachments, shownAttachment, type MadeAttachment } from './stored-attachments.ts';
import type { OpenableAttachment } from './service.ts';
import { sideValueNames } from './task-record.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';

/** What files are found with. */
export type OpenableAttachmentDeps = Pick<TaskServiceDeps, 'store' | 'attachments'>;

/** Finds a file that work has made. Throws `TASK_NOT_FOUND`. */
export async function openableAttachment(deps: OpenableAttachmentDeps, taskId: string, name: string): Promise<OpenableAttachment> {
  const file = await found(deps, taskId, name);
  return {
    ...shownAttachment(file),
    async open() {
      const { attachments } = deps;
      if (!attachments) throw new TaskBridgeError('STORE_UNAVAILABLE', 'This server keeps no attachments.', { retryAfterSeconds: 60 });
      try {
        return await attachments.open(file.key);
      } catch (cause) {
        // Removed with its task, or replaced by the work, since it was found.
        if ((await found(deps, taskId, name)).key !== file.key) throw noFile(name);
        throw new TaskBridgeError('STORE_UNAVAILABLE', 'The file cannot be read now; try again later.', { retryAfterSeconds: 5, cause });
      }
    },
  };
}

async function found({ store }: OpenableAttachmentDeps, taskId: string, name: string): Promise<MadeAttachment> {
  try {
    const [files] = await store.sideValues(taskId, [sideValueNames.attachments]);
    const file = files === undefined ? undefined : parseAttachments(files).find((one) => one.name === name);
    if (file) return file;
  } catch (error) {
    throw asTaskBridgeError(error);
  }
  throw noFile(name);
}

function noFile(name: string): TaskBridgeError {
  return new TaskBridgeError('TASK_NOT_FOUND', `There is no file ${JSON.stringify(name.slice(0, 64))} in this task.`);
}
