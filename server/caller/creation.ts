import type { CreateTaskResponse, ErrorCode } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { isShareFull } from '../shares/limits.ts';

const beforeAnythingIsWritten: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'REQUEST_VALIDATION_ERROR',
  'UPLOAD_VALIDATION_ERROR',
  'TASK_OWNERSHIP_ERROR',
  'IDEMPOTENCY_CONFLICT',
];

/** The files of a task that is not written yet, in the attachment store already. */
export interface NewTaskFiles {
  /** The id that their keys begin with. */
  readonly taskId: string;
  /** Removes all of them. Never throws. */
  discard(): Promise<void>;
}

/** Creates a task whose files are stored already, and discards them where they turn out to be nobody's. */
export async function createWithFiles(files: NewTaskFiles, make: () => Promise<CreateTaskResponse>): Promise<CreateTaskResponse> {
  try {
    const created = await make();
    // The files of the task that this request made before are those that count.
    if (created.taskId !== files.taskId) await files.discard();
    return created;
  } catch (thrown) {
    // After any other failure the task may exist and refer to the files; if it does not, the sweeper removes them.
    if (thrown instanceof TaskBridgeError && (beforeAnythingIsWritten.includes(thrown.code) || isShareFull(thrown))) await files.discard();
    throw thrown;
  }
}
