import { emptyAggregate, statusOf } from '../../machines/index.ts';
import type { CreateTaskResponse } from '../../machines/wire/index.ts';
import { emptyExecutionRecord, recordAttemptEvent } from '../attempt/execution-record.ts';
import type { TaskContent } from '../attempt/work.ts';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext, UploadPolicy } from '../ports/auth.ts';
import type { TaskAbout } from './about.ts';
import { contentHash, requestKeyOf } from './content-hash.ts';
import type { NewTaskRequest } from './service.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';
import { initialFields, sideValueNames, type TaskRecord } from './task-record.ts';

/**
 * Writes a task together with its request key and the claim on its work, in one atomic step, then asks the executor to start it. A crash
 * in between leaves a claim that runs out, so that another node starts the work.
 */
export async function createTask(
  deps: TaskServiceDeps,
  auth: AuthContext,
  request: NewTaskRequest,
  uploads?: UploadPolicy,
): Promise<CreateTaskResponse> {
  const { taskType, metadata, attachments } = request;
  const refused = await uploads?.refuseUpload(auth, attachments);
  if (refused !== undefined) throw new TaskBridgeError('UPLOAD_VALIDATION_ERROR', refused);
  const refusal = await deps.ownership.refuseCreate?.(auth, { taskType, metadata });
  if (refusal !== undefined) throw new TaskBridgeError('TASK_OWNERSHIP_ERROR', refusal);
  return deps.supervisor.whileOpen(() => writeTask(deps, auth, request));
}

async function writeTask(deps: TaskServiceDeps, auth: AuthContext, request: NewTaskRequest): Promise<CreateTaskResponse> {
  const { clientRequestId, taskType, input, metadata, attachments, taskId } = request;
  const params = auth.params && Object.keys(auth.params).length > 0 ? auth.params : undefined;
  const now = deps.time.now();
  const about: TaskAbout = {
    taskId,
    taskType,
    clientRequestId,
    owner: auth.subject,
    ...(params && { params }),
    contentHash: contentHash({ ...request, ...(params && { params }) }, deps.idempotencyPayload),
    requestKey: requestKeyOf(auth.subject, clientRequestId),
    createdAt: now,
  };
  const leaseUntil = deps.supervisor.leaseUntil();
  const startBy = now + deps.settings.startWithinMs;
  const execution =
    recordAttemptEvent(emptyExecutionRecord, { type: 'attempt.claimed', node: deps.nodeId, leaseUntil, startBy }) ?? emptyExecutionRecord;
  const content: TaskContent = { input, metadata, attachments };
  const created = await deps.processor
    .create({
      taskId,
      requestKey: about.requestKey,
      fields: initialFields(about, emptyAggregate, execution),
      sideValues: { [sideValueNames.content]: JSON.stringify(content) },
      dueAt: leaseUntil,
    })
    .catch((error: unknown) => {
      // It may be written all the same, and its work claimed by this node.
      void deps.supervisor.reconcile(taskId);
      throw error;
    });
  // One that has this very id was written by this very request, whose first reply was lost.
  if (!created.created && created.taskId !== taskId) {
    // Its work begins now, where the node that created it never heard that it had.
    void deps.supervisor.reconcile(created.taskId);
    return answerAgain(await deps.processor.read(created.taskId), about);
  }

  deps.metrics.incrementCounter('task_starts_total');
  const { refused } = await deps.supervisor.reconcile(taskId);
  if (refused)
    throw new TaskBridgeError('TASK_SUBMISSION_ERROR', `The executor refused the task: ${refused.message}`, {
      details: { taskId, failure: { ...refused } },
    });
  const state = await deps.processor.read(taskId);
  return { taskId, status: statusOf(state.aggregate.task), clientRequestId, deduplicated: false };
}

function answerAgain({ about: existing, aggregate }: TaskRecord, asked: TaskAbout): CreateTaskResponse {
  const { taskId, clientRequestId } = existing;
  if (existing.contentHash !== asked.contentHash)
    throw new TaskBridgeError(
      'IDEMPOTENCY_CONFLICT',
      `clientRequestId ${JSON.stringify(clientRequestId)} was used for a task of other content; use a new one.`,
      { details: { clientRequestId } },
    );
  return { taskId, status: statusOf(aggregate.task), clientRequestId, deduplicated: true };
}
