import { isGrpcServiceError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  systemClock,
  type AttemptRef,
  type Resolution,
  type StartOutcome,
  type StopOrder,
  type TaskExecutor,
  type Work,
} from '../../server/ports/index.ts';
import { RESOLUTION_UPDATE, signalNames, type TaskInput } from './contract.ts';
import { checkOptions, type TemporalExecutorOptions, type WorkflowChoice } from './options.ts';
import { standingOf } from './standing.ts';

const STARTS_MAX = 3;
const CALL_TIMEOUT_MS = 8000;
/** gRPC: invalid argument, not found (the namespace), failed precondition, unimplemented. Asking again would not help. */
const REFUSALS: readonly number[] = [3, 5, 9, 12];

/**
 * Runs each task as a Temporal workflow, `<prefix>:<taskId>`. The workflow lives as long as Temporal keeps it, whatever becomes of the host:
 * answers and cancels are handed over until Temporal has them, and a workflow that ends without a word is found out (`inspect`).
 */
export function temporalExecutor(options: TemporalExecutorOptions): TaskExecutor {
  checkOptions(options);
  const { client, workflowIdPrefix = 'taskbridge', workflowInputMapper, cancellation = 'cancel', answers = 'signal' } = options;
  const { callTimeoutMs = CALL_TIMEOUT_MS, clock = systemClock } = options;
  const workflowIdOf = ({ taskId }: Pick<AttemptRef, 'taskId'>) => `${workflowIdPrefix}:${taskId}`;
  const handleOf = (attempt: AttemptRef) => client.workflow.getHandle(workflowIdOf(attempt));

  function choiceOf(taskType: string): WorkflowChoice | undefined {
    const { workflow } = options;
    const choice = typeof workflow === 'string' ? workflow : Object.hasOwn(workflow, taskType) ? workflow[taskType] : undefined;
    return typeof choice === 'string' ? { workflow: choice } : choice;
  }

  async function startOnce(work: Work, { workflow, taskQueue, executionTimeoutMs }: WorkflowChoice): Promise<boolean> {
    const input = inputOf(work);
    const timeout = executionTimeoutMs ?? options.executionTimeoutMs;
    const { taskId, taskType } = work;
    try {
      await client.workflow.start(workflow, {
        ...options.startOptions,
        memo: { ...options.startOptions?.memo, taskId, taskType },
        taskQueue: taskQueue ?? options.taskQueue,
        workflowId: workflowIdOf(work),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        args: [workflowInputMapper ? workflowInputMapper(input) : input],
        ...(timeout !== undefined && { workflowExecutionTimeout: timeout }),
      });
      return true;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    // It runs: an earlier attempt started it, and its reply was lost or its host died. From now on it speaks for this one.
    return toRunning(handleOf(work).signal(signalNames.attempt, work.attempt));
  }

  /** No call goes on behind our back, to take effect when nobody wants it any more. */
  const inTime = <T>(call: () => Promise<T>) => client.withDeadline(clock.now() + callTimeoutMs, call);

  async function start(work: Work): Promise<StartOutcome> {
    const choice = choiceOf(work.taskType);
    if (!choice) throw new Error(`No workflow for ${work.taskType}.`);
    try {
      for (let starts = 0; starts < STARTS_MAX; starts++) if (await startOnce(work, choice)) return { status: 'started' };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const message = `Temporal refused to start the workflow: ${reasonOf(error)}`.slice(0, 1024);
      return { status: 'refused', failure: { code: 'EXECUTOR_REFUSED', message, retryable: false } };
    }
    throw new Error('The workflow of an earlier attempt kept ending while it was asked to go on.');
  }

  async function resume(attempt: AttemptRef, resolution: Resolution): Promise<void> {
    const handle = handleOf(attempt);
    if (answers === 'signal') await toRunning(handle.signal(signalNames.resolution, resolution));
    else await toRunning(handle.executeUpdate(RESOLUTION_UPDATE, { args: [resolution], updateId: resolution.suspendId }));
  }

  async function cancel(attempt: AttemptRef, order: StopOrder): Promise<void> {
    // A later attempt takes the workflow over; until then its reports are refused and wait.
    if (order.why === 'fenced') return;
    const handle = handleOf(attempt);
    const isRunning = await toRunning(handle.signal(signalNames.stop, order));
    if (isRunning && cancellation === 'cancel') await toRunning(handle.cancel());
  }

  async function health(): Promise<string | undefined> {
    try {
      await client.workflowService.describeNamespace({ namespace: client.options.namespace });
      return undefined;
    } catch (error) {
      return `Temporal does not answer: ${reasonOf(error)}`;
    }
  }

  return {
    name: 'temporal',
    leased: false,
    handles: (taskType) => choiceOf(taskType) !== undefined,
    repeatable: () => false,
    start: (work) => inTime(() => start(work)),
    resume: (attempt, resolution) => inTime(() => resume(attempt, resolution)),
    cancel: (attempt, order) => inTime(() => cancel(attempt, order)),
    inspect: (attempt) => inTime(() => standingOf(handleOf(attempt))),
    health: () => inTime(health),
  };
}

function inputOf({ taskId, attempt, taskType, owner, clientRequestId, input, metadata, attachments }: Work): TaskInput {
  // References only: what opens an attachment stays here.
  const references = attachments.map(({ open: _, ...reference }) => reference);
  return { taskId, attempt, taskType, owner, clientRequestId, input, metadata, attachments: references };
}

/** False where no such workflow runs any more: there is nobody left to tell. */
async function toRunning(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** The client wraps what the service said. */
function grpcCause(error: unknown) {
  if (isGrpcServiceError(error)) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  return isGrpcServiceError(cause) ? cause : undefined;
}

function isRefusal(error: unknown): boolean {
  if (error instanceof Error && (error.name === 'NamespaceNotFoundError' || error.name === 'PayloadConverterError')) return true;
  const code = grpcCause(error)?.code;
  return code !== undefined && REFUSALS.includes(code);
}

function reasonOf(error: unknown): string {
  return grpcCause(error)?.details ?? (error instanceof Error ? error.message : String(error));
}
