import { isGrpcServiceError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { RetryPolicy } from '../../machines/index.ts';
import type { StartOutcome, TraceContext, Work } from '../../server/ports/index.ts';
import { signalNames, type TaskInput } from './contract.ts';
import type { TemporalExecutorOptions, WorkflowChoice } from './options.ts';

/** How often a workflow is asked for that ends, or has ended, while it is asked to go on. Each answer is new knowledge, so nothing rests. */
const startRetry: RetryPolicy = { baseMs: 0, maxMs: 0, triesMax: 3, jitter: 0 };
const MESSAGE_CHARACTERS_MAX = 1024;
/** gRPC: invalid argument, not found (the namespace), failed precondition, unimplemented. Asking again would not help. */
const REFUSALS: readonly number[] = [3, 5, 9, 12];

/** Starts the workflow of an attempt, or has the one that runs speak for it. */
export async function startWorkflow(
  work: Work,
  workflowId: string,
  choice: WorkflowChoice,
  options: TemporalExecutorOptions,
): Promise<StartOutcome> {
  try {
    for (let starts = 0; starts < startRetry.triesMax; starts++)
      if (await startOnce(work, workflowId, choice, options)) return { status: 'started' };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const message = `Temporal refused to start the workflow: ${reasonOf(error)}`.slice(0, MESSAGE_CHARACTERS_MAX);
    return { status: 'refused', failure: { code: 'EXECUTOR_REFUSED', message, retryable: false } };
  }
  throw new Error('The workflow of an earlier attempt kept ending while it was asked to go on.');
}

/** False where no such workflow runs any more: there is nobody left to tell. */
export async function toRunning(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** What Temporal said, without the client's wrapping. */
export function reasonOf(error: unknown): string {
  return grpcCause(error)?.details ?? (error instanceof Error ? error.message : String(error));
}

async function startOnce(work: Work, workflowId: string, choice: WorkflowChoice, options: TemporalExecutorOptions): Promise<boolean> {
  const { client, startOptions, workflowInputMapper } = options;
  const { workflow, taskQueue = options.taskQueue, executionTimeoutMs = options.executionTimeoutMs } = choice;
  const { taskId, taskType } = work;
  const input = inputOf(work);
  try {
    await client.workflow.start(workflow, {
      ...startOptions,
      memo: { ...startOptions?.memo, taskId, taskType },
      taskQueue,
      workflowId,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      args: [workflowInputMapper ? workflowInputMapper(input) : input],
      ...(executionTimeoutMs !== undefined && { workflowExecutionTimeout: executionTimeoutMs }),
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  // It runs: an earlier attempt started it, and its reply was lost or its host died. From now on it speaks for this one.
  return toRunning(
    client.workflow
      .getHandle(workflowId)
      .signal<[number, TraceContext?]>(signalNames.attempt, work.attempt, ...(work.traceContext ? [work.traceContext] : [])),
  );
}

function inputOf({
  taskId,
  attempt,
  taskType,
  owner,
  clientRequestId,
  input,
  metadata,
  params,
  attachments,
  traceContext,
}: Work): TaskInput {
  // References only: what opens an attachment stays here.
  const references = attachments.map(({ open: _, ...reference }) => reference);
  const named = Object.keys(params).length > 0 && { params };
  const traced = traceContext && { traceContext };
  return { taskId, attempt, taskType, owner, clientRequestId, input, metadata, ...named, attachments: references, ...traced };
}

function isRefusal(error: unknown): boolean {
  if (error instanceof Error && error.name === 'NamespaceNotFoundError') return true;
  const code = grpcCause(error)?.code;
  return code !== undefined && REFUSALS.includes(code);
}

/** The client wraps what the service said. */
function grpcCause(error: unknown) {
  if (isGrpcServiceError(error)) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  return isGrpcServiceError(cause) ? cause : undefined;
}
