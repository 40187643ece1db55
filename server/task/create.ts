import { emptyAggregate, statusOf, type CreateTaskResponse } from '../../machines/index.ts';
import { emptyLedger, enter } from '../attempt/ledger.ts';
import type { TaskContent } from '../attempt/work.ts';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { TaskAbout } from './about.ts';
import { contentHash, requestKeyOf } from './content-hash.ts';
import type { NewTaskRequest } from './service.ts';
import type { ServiceContext } from './service-context.ts';
import { initialFields, keptNames, type TaskState } from './task-state.ts';

/**
 * Records a task together with its request key and the claim on its work, in one atomic step, then asks the executor to start it. A crash
 * in between leaves a claim that runs out, so that another node starts the work.
 */
export async function createTask(context: ServiceContext, auth: AuthContext, request: NewTaskRequest): Promise<CreateTaskResponse> {
  const { taskType, metadata } = request;
  const refusal = await context.ownership.refuseCreate?.(auth, { taskType, metadata });
  if (refusal !== undefined) throw new TaskBridgeError('TASK_OWNERSHIP_ERROR', refusal);
  return context.supervisor.claiming(() => recordTask(context, auth, request));
}

async function recordTask(context: ServiceContext, auth: AuthContext, request: NewTaskRequest): Promise<CreateTaskResponse> {
  const { clientRequestId, taskType, input, metadata, attachments, taskId } = request;
  const now = context.time.now();
  const about: TaskAbout = {
    taskId,
    taskType,
    clientRequestId,
    owner: auth.subject,
    contentHash: contentHash(taskType, input, attachments),
    requestKey: requestKeyOf(auth.subject, clientRequestId),
    createdAt: now,
  };
  const leaseUntil = context.supervisor.leaseUntil();
  const startBy = now + context.settings.startWithinMs;
  const ledger = enter(emptyLedger, { type: 'attempt.claimed', node: context.nodeId, leaseUntil, startBy }) ?? emptyLedger;
  const content: TaskContent = { input, metadata, attachments };
  const created = await context.desk
    .create({
      taskId,
      requestKey: about.requestKey,
      fields: initialFields(about, emptyAggregate, ledger),
      kept: { [keptNames.content]: JSON.stringify(content) },
      dueAt: leaseUntil,
    })
    .catch((error: unknown) => {
      // It may be written all the same, and its work claimed by this node.
      void context.supervisor.visit(taskId);
      throw error;
    });
  // One that has this very id was written by this very request, whose first reply was lost.
  if (!created.created && created.taskId !== taskId) {
    // Its work begins now, where the node that created it never heard that it had.
    void context.supervisor.visit(created.taskId);
    return answerAgain(await context.desk.read(created.taskId), about);
  }

  context.metrics.incrementCounter('task_starts_total');
  const { refused } = await context.supervisor.visit(taskId);
  if (refused)
    throw new TaskBridgeError('TASK_SUBMISSION_ERROR', `The executor refused the task: ${refused.message}`, {
      details: { taskId, failure: { ...refused } },
    });
  const state = await context.desk.read(taskId);
  return { taskId, status: statusOf(state.aggregate.task), clientRequestId, deduplicated: false };
}

function answerAgain({ about: existing, aggregate }: TaskState, asked: TaskAbout): CreateTaskResponse {
  const { taskId, clientRequestId } = existing;
  if (existing.contentHash !== asked.contentHash)
    throw new TaskBridgeError(
      'IDEMPOTENCY_CONFLICT',
      `clientRequestId ${JSON.stringify(clientRequestId)} was used for a task of other type, input or attachments; use a new one.`,
      { details: { clientRequestId } },
    );
  return { taskId, status: statusOf(aggregate.task), clientRequestId, deduplicated: true };
}
