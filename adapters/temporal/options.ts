import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { assertOptionNames, type Clock, type OptionNames } from '../../server/ports/index.ts';
import { isTaskContract, type TaskContract, type TaskTypeOf } from '../../machines/contract/index.ts';
import type { TaskInput } from './contract.ts';

/** The workflow that runs one type of task, where it differs from the others. */
export interface WorkflowChoice {
  /** The workflow's name in its worker. */
  readonly workflow: string;
  readonly taskQueue?: string;
  readonly executionTimeoutMs?: number;
}

/** Options of {@link temporalExecutor}. */
export interface TemporalExecutorOptions<C extends TaskContract | undefined = TaskContract | undefined> {
  /** Connected, to the namespace where the workflows run. The host makes it and closes its connection. */
  readonly client: Client;
  readonly taskQueue: string;
  /**
   * The types of tasks that it runs: their inputs and answers are checked by the host. `workflow` then names one for each of them, and none besides. Give the workers'
   * reporter the same. Defaults to none.
   */
  readonly contract?: C;
  /** The workflow of every task type, or workflows by task type: other types are left to other executors. */
  readonly workflow: string | Readonly<Record<C extends TaskContract ? TaskTypeOf<C> : string, string | WorkflowChoice>>;
  /** A task's workflow has the id `<prefix>:<taskId>`. Defaults to `taskbridge`. */
  readonly workflowIdPrefix?: string;
  /** What the workflow is started with, for workflows that take something else. One of `taskWorkflow` needs all of a `TaskInput`. */
  readonly workflowInputMapper?: (input: TaskInput) => unknown;
  /** After that many milliseconds Temporal ends the workflow and the task fails, its worker back or not. Defaults to never. */
  readonly executionTimeoutMs?: number;
  /**
   * How work is told to stop: `cancel` requests Temporal's cancellation besides the signal that says why; `signal` leaves it at the signal
   * `taskbridge.stop`. Defaults to `cancel`.
   */
  readonly cancellation?: 'cancel' | 'signal';
  /**
   * How answers are handed over: `signal` is kept by Temporal while no worker runs; `update` waits for a worker, and is tried again until one
   * has taken it. Defaults to `signal`.
   */
  readonly answers?: 'signal' | 'update';
  /** How long one call to Temporal may take, in milliseconds, tries of its client included. Defaults to 8 seconds. */
  readonly callTimeoutMs?: number;
  readonly clock?: Clock;
  /** More that workflows are started with: search attributes, task time-outs. */
  readonly startOptions?: Omit<
    WorkflowStartOptions,
    'args' | 'workflowId' | 'taskQueue' | 'workflowExecutionTimeout' | 'workflowIdReusePolicy' | 'workflowIdConflictPolicy'
  >;
}

const names: OptionNames<TemporalExecutorOptions> = {
  client: true,
  taskQueue: true,
  contract: true,
  workflow: true,
  workflowIdPrefix: true,
  workflowInputMapper: true,
  executionTimeoutMs: true,
  cancellation: true,
  answers: true,
  callTimeoutMs: true,
  clock: true,
  startOptions: true,
};

/** Throws a `TypeError` that says which option is missing or unknown, or a `RangeError`. */
export function checkTemporalOptions(options: TemporalExecutorOptions): void {
  assertOptionNames(options, names, 'temporalExecutor');
  // Callers without TypeScript get a sentence instead of a crash at the first task.
  const given = options as Partial<TemporalExecutorOptions>;
  if (typeof given.client !== 'object') throw new TypeError('client is missing: give a Client of @temporalio/client.');
  if (!given.taskQueue) throw new TypeError('taskQueue is missing: name the queue that the workers poll.');
  const { callTimeoutMs = 1 } = given;
  if (!Number.isSafeInteger(callTimeoutMs) || callTimeoutMs < 1)
    throw new RangeError(`callTimeoutMs (${callTimeoutMs}) must be a whole number of at least 1.`);
  if (!given.workflow) throw new TypeError('workflow is missing: name the workflow, or workflows by task type.');
  if (given.contract !== undefined) assertWorkflows(given.contract, given.workflow);
}

function assertWorkflows(contract: TaskContract, workflow: TemporalExecutorOptions['workflow']): void {
  if (!isTaskContract(contract)) throw new TypeError('contract is none: give what defineTasks made.');
  if (typeof workflow === 'string') return;
  const types = Object.keys(contract.types);
  const missing = types.find((taskType) => !Object.hasOwn(workflow, taskType));
  if (missing !== undefined) throw new TypeError(`The type ${JSON.stringify(missing)} of the contract has no workflow: name one.`);
  const foreign = Object.keys(workflow).find((taskType) => !types.includes(taskType));
  if (foreign !== undefined)
    throw new TypeError(
      `The workflow of ${JSON.stringify(foreign)} is of no type of the contract, which has ${types.join(', ') || 'none'}.`,
    );
}
