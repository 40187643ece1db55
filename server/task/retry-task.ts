import type { CreateTaskResponse } from '../../machines/wire/index.ts';
import { contentOf, type TaskContent } from '../attempt/work.ts';
import { createWithFiles } from '../caller/creation.ts';
import { unhandled } from '../contract/refusals.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import type { AttachmentReference } from '../ports/attachments.ts';
import type { AuthContext, UploadPolicy } from '../ports/auth.ts';
import { shareFull, shareMax } from '../shares/limits.ts';
import { copyAttachments } from './attachment-copy.ts';
import { asTaskBridgeError } from './command-processor.ts';
import { canonicalJson, requestKeyOf, sha256 } from './content-hash.ts';
import { paramsOf } from './create-decision.ts';
import { answerAgain, assertMayCreate, writeTask, type CreateTerms } from './create-task.ts';
import type { TaskRetryRequest } from './service.ts';
import type { TaskRecord } from './task-record.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';

/**
 * Starts a task that has ended again, as a new one with copies of its files: what becomes of the first is no matter to it then. A repeat is told by the first
 * one's id alone, so that it is a repeat when that is gone, too. The input is not looked at again: it is as its contract once made it.
 *
 * A crash before the task is written leaves copies that belong to no task, and are swept.
 */
export async function retryTask(
  deps: TaskServiceDeps,
  auth: AuthContext,
  request: TaskRetryRequest,
  first: () => Promise<TaskRecord>,
  uploads?: UploadPolicy,
): Promise<CreateTaskResponse> {
  const { taskId, retryOf, title, labels } = request;
  const terms: CreateTerms = {
    hash: sha256(canonicalJson({ retryOf, ...(paramsOf(auth) as { readonly params?: Readonly<Record<string, string>> }) })),
    check: async ({ taskType, input }) => (deps.supervisor.executorOf(taskType) ? { input } : { faults: [unhandled(taskType)] }),
  };
  const again = await repeat(deps, auth, request, terms);
  if (again) return again;
  const { about, execution } = await first();
  if (execution.endedAt === null)
    throw new TaskBridgeError('TASK_NOT_ENDED', `Task ${JSON.stringify(retryOf)} has not ended; it can be started again when it has.`);
  const { input, metadata, attachments } = await contentOfFirst(deps, retryOf);
  const created = { ...about, ...request, metadata: request.metadata ?? metadata, input, attachments };
  await assertMayCreate(deps, auth, created, uploads);
  const { references, discard } = await copied(deps, auth, taskId, retryOf, attachments);
  const named = { title: title ?? about.title, labels: labels ?? about.labels, trace: request.trace };
  return createWithFiles({ taskId, discard }, () => writeTask(deps, auth, { ...created, ...named, attachments: references }, terms));
}

/** The answer to one that was taken before. */
async function repeat(
  deps: TaskServiceDeps,
  { subject }: AuthContext,
  { clientRequestId }: TaskRetryRequest,
  { hash }: CreateTerms,
): Promise<CreateTaskResponse | undefined> {
  const { store, processor, supervisor } = deps;
  const [known] = await store.glance([requestKeyOf(subject, clientRequestId)], []).catch(failed);
  if (!known) return undefined;
  void supervisor.reconcile(known.taskId);
  const met = await processor.read(known.taskId);
  return answerAgain(deps, met, { ...met.about, contentHash: hash });
}

async function contentOfFirst({ store }: TaskServiceDeps, retryOf: string): Promise<TaskContent> {
  try {
    return await contentOf(retryOf, store);
  } catch (error) {
    await assertThere(store, retryOf);
    throw asTaskBridgeError(error);
  }
}

async function copied(
  deps: TaskServiceDeps,
  { subject }: AuthContext,
  taskId: string,
  retryOf: string,
  files: readonly AttachmentReference[],
): ReturnType<typeof copyAttachments> {
  if (files.length === 0) return { references: [], discard: async () => undefined };
  const { attachments, store, settings, recounts } = deps;
  if (!attachments)
    throw new TaskBridgeError('UPLOAD_VALIDATION_ERROR', 'This server keeps no attachments, and the task to be started again has some.');
  // Said before they are copied: a create says it once more, and for good.
  const bytes = files.reduce((sum, file) => sum + file.bytes, (await store.shares(subject).catch(failed)).shares.bytes);
  if (bytes > shareMax('bytes', settings)) {
    recounts.request(subject);
    throw shareFull('bytes', settings);
  }
  enterCopies(deps, subject);
  try {
    return await copyAttachments(files, taskId, { ...deps, attachments });
  } catch (error) {
    await assertThere(store, retryOf);
    throw error;
  } finally {
    deps.copies.leave(subject);
  }
}

/** Counts one whose files are copied, until it leaves. Throws where as many are as may be. */
function enterCopies({ copies, settings: { copiesMax, copiesPerOwnerMax } }: TaskServiceDeps, subject: string): void {
  const isOwners = copies.of(subject) >= copiesPerOwnerMax;
  if (!isOwners && copies.all < copiesMax) return copies.enter(subject);
  const max = isOwners ? copiesPerOwnerMax : copiesMax;
  const whose = isOwners ? 'of this caller' : 'on this server';
  throw new TaskBridgeError(
    'RATE_LIMITED',
    `The files of ${max} retries ${whose} are being copied, the most that may at once. Send it again.`,
    {
      retryAfterSeconds: 5,
      details: { share: 'copies', max },
    },
  );
}

/** Throws `TASK_NOT_FOUND` for one that was removed meanwhile: what was not found of it then is no fault. */
async function assertThere(store: TaskServiceDeps['store'], taskId: string): Promise<void> {
  if (!(await store.load(taskId).catch(failed))) throw taskNotFound(taskId);
}

function failed(error: unknown): never {
  throw asTaskBridgeError(error);
}
