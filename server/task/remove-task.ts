import { attemptState } from '../attempt/execution-record.ts';
import { dropTask, removeFiles } from '../attempt/task-removal.ts';
import { withTimeLimit } from '../attempt/time-limit.ts';
import { mayAccess } from '../access/ownership.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import type { AuthContext } from '../ports/auth.ts';
import { asTaskBridgeError } from './command-processor.ts';
import { refusedIntent } from './early-decision.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';
import type { TaskRecord } from './task-record.ts';

/** How often it is looked at again where something happens to it meanwhile. */
const TRIES_MAX = 5;
/** So long a caller waits for work to be told that its task has ended, in milliseconds. */
const TOLD_MS = 500;
const removal = () => ({ type: 'task.remove' }) as const;

/**
 * Removes a task that has ended. What this caller does not see, he does not see afterwards either: nothing is done, and that is no error, so that whoever
 * hears no answer may ask again. Throws `TASK_NOT_FOUND` for one that he may see and not change, and `TASK_NOT_ENDED`.
 */
export async function removeForCaller(deps: TaskServiceDeps, auth: AuthContext, taskId: string): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const record = await changeable(deps, auth, taskId);
    if (!record) return;
    const released = await releasedRecord(deps, record);
    if (!released) return;
    const files = await dropTask(released, deps, deps.source).catch((error: unknown) => {
      throw asTaskBridgeError(error);
    });
    if (!files) continue;
    await withTimeLimit(deps, deps.settings.executorTimeoutMs, removeFiles(files, deps)).catch((error: unknown) =>
      deps.logger.warn('The files of a task that was removed could not be removed; the sweeper will.', { taskId, error }),
    );
    const { clientRequestId, owner: userId } = released.about;
    deps.records('task.removed')?.({ taskId, clientRequestId, userId, transport: 'internal' });
    return;
  }
  throw new TaskBridgeError('STORE_UNAVAILABLE', 'The task changes all the while; try again.', { retryAfterSeconds: 1 });
}

/** The task, where this caller may change it; undefined where he sees none. */
async function changeable(deps: TaskServiceDeps, auth: AuthContext, taskId: string): Promise<TaskRecord | undefined> {
  const { processor, ownership } = deps;
  const record = await processor.read(taskId).catch(unlessGone);
  if (!record || (await mayAccess(ownership, auth, record.about, 'write'))) return record;
  if (await mayAccess(ownership, auth, record.about, 'read')) throw refusedIntent(deps, record, removal, taskNotFound(taskId));
  return undefined;
}

/** The task once its work knows that it has ended: with the task, what is owed to the work would be forgotten. Undefined where it is gone by then. */
async function releasedRecord(deps: TaskServiceDeps, record: TaskRecord): Promise<TaskRecord | undefined> {
  const { taskId } = record.about;
  if (record.execution.endedAt === null)
    throw refusedIntent(
      deps,
      record,
      removal,
      new TaskBridgeError('TASK_NOT_ENDED', `Task ${JSON.stringify(taskId)} has not ended; cancel it, and remove it when it has.`),
    );
  if (attemptState(record.execution) === 'released') return record;
  await withTimeLimit(deps, TOLD_MS, deps.supervisor.reconcile(taskId)).catch(() => undefined);
  const after = await deps.processor.read(taskId).catch(unlessGone);
  if (!after || attemptState(after.execution) === 'released') return after;
  const message = `Task ${JSON.stringify(taskId)} has ended, and its work is still being told; try again.`;
  throw refusedIntent(deps, after, removal, new TaskBridgeError('TASK_NOT_ENDED', message, { retryAfterSeconds: 1 }));
}

function unlessGone(error: unknown): undefined {
  if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') return undefined;
  throw error;
}
