import {
  systemClock,
  type AttemptRef,
  type Resolution,
  type StartOutcome,
  type StopOrder,
  type TaskExecutor,
  type Work,
} from '../../server/ports/index.ts';
import type { TaskContract } from '../../machines/contract/index.ts';
import { RESOLUTION_UPDATE, signalNames } from './contract.ts';
import { checkTemporalOptions, type TemporalExecutorOptions, type WorkflowChoice } from './options.ts';
import { workStatusOf } from './work-status.ts';
import { reasonOf, startWorkflow, toRunning } from './starting.ts';

const CALL_TIMEOUT_MS = 8000;

/**
 * Runs each task as a Temporal workflow, `<prefix>:<taskId>`. The workflow lives as long as Temporal keeps it, whatever becomes of the host:
 * answers and cancels are handed over until Temporal has them, and a workflow that ends without a word is found out (`inspect`). Throws a
 * `TypeError` or `RangeError` that names the option for one that is missing or cannot work.
 */
export function temporalExecutor<C extends TaskContract | undefined = undefined>(options: TemporalExecutorOptions<C>): TaskExecutor {
  checkTemporalOptions(options);
  const { client, workflowIdPrefix = 'taskbridge', cancellation = 'cancel', answers = 'signal' } = options;
  const { callTimeoutMs = CALL_TIMEOUT_MS, clock = systemClock, contract } = options;
  const named = contract?.types ?? options.workflow;
  const types = typeof named === 'object' ? Object.keys(named) : undefined;
  const workflowIdOf = ({ taskId }: Pick<AttemptRef, 'taskId'>) => `${workflowIdPrefix}:${taskId}`;
  const handleOf = (attempt: AttemptRef) => client.workflow.getHandle(workflowIdOf(attempt));
  /** No call goes on behind our back, to take effect when nobody wants it any more. */
  const inTime = <T>(call: () => Promise<T>) => client.withDeadline(clock.now() + callTimeoutMs, call);

  function choiceOf(taskType: string): WorkflowChoice | undefined {
    const workflow: TemporalExecutorOptions['workflow'] = options.workflow;
    const choice = typeof workflow === 'string' ? workflow : Object.hasOwn(workflow, taskType) ? workflow[taskType] : undefined;
    return typeof choice === 'string' ? { workflow: choice } : choice;
  }

  async function start(work: Work): Promise<StartOutcome> {
    const choice = choiceOf(work.taskType);
    if (!choice) throw new Error(`No workflow for ${work.taskType}.`);
    return startWorkflow(work, workflowIdOf(work), choice, options);
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
    ...(types && { types }),
    ...(contract && { contract }),
    handles: (taskType) => choiceOf(taskType) !== undefined && (!contract || Object.hasOwn(contract.types, taskType)),
    repeatable: () => false,
    start: (work) => inTime(() => start(work)),
    resume: (attempt, resolution) => inTime(() => resume(attempt, resolution)),
    cancel: (attempt, order) => inTime(() => cancel(attempt, order)),
    inspect: (attempt) => inTime(() => workStatusOf(handleOf(attempt))),
    health: () => inTime(health),
  };
}
