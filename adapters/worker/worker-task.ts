import { contractType, type DefinitionOf, type TaskContract, type TaskTypeOf, type WorkResult } from '../../machines/contract/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import type { ClaimedWork, TaskRef, TaskReporter } from '../../server/reporter/index.ts';
import { TaskStopped, type HandledTask, type Task } from '../in-process/index.ts';
import { reportRetries } from '../in-process/report-retry.ts';
import { Run, type RunEnd } from '../in-process/run.ts';
import type { RunDeps } from '../in-process/run-deps.ts';
import { Slot, Slots } from '../in-process/slots.ts';

/** How a run ends: by one of these, once. What comes after the first is answered as that was. */
export interface RunEnding<R> {
  /**
   * Completes the task with this result. Rejects with the report that was refused, where it was not heard of, or with the result's own refusal: the task has failed by
   * that; with a {@link TaskStopped} where the run counts no more.
   */
  complete(result: R): Promise<void>;
  /**
   * Ends the task by what was thrown, as the throw of a handler does: failed in the words of a `TaskFailure`, and by anything else with a neutral text;
   * cancelled where somebody asked for that. Rejects with a {@link TaskStopped} where the run counts no more.
   */
  fail(error: unknown): Promise<void>;
  /** Ends the run, not the task: it is for another run to go on from what was saved. What was not yet committed may be lost. */
  leave(): void;
}

/** The task of a run outside of all nodes: what a handler has, and the ways to end it. Its `attempt` rises with each run, not always by one. */
export type WorkerTask = Task & RunEnding<Json | void>;
/** The same by a contract. */
export type ContractWorkerTask<C extends TaskContract, K extends TaskTypeOf<C>> = {
  readonly [T in K]: HandledTask<DefinitionOf<C, T>> & RunEnding<WorkResult<DefinitionOf<C, T>>> & { readonly taskType: T };
}[K];

/**
 * Claims a task's work for this process, and gives its task once it has begun: in a worker of BullMQ, what its job does. Each call is a run of its own:
 * whoever ran it before is fenced, so that a job that is run again repeats nothing, is swallowed by nothing, and finds the answers that were given
 * and what was saved. End it by `complete`, `fail` or `leave`.
 *
 * Rejects with a {@link TaskStopped} where nothing is left to do: the task has ended, is gone, or was to stop (then it is cancelled); with a `TypeError` where a node
 * runs it in its own process, or it is of another type than the reference says; with code `STORE_UNAVAILABLE` where the store is away: have the job run again.
 *
 * With a reporter that has a contract and a reference that has the type, the task has the types of the contract.
 */
export function workerTask<C extends TaskContract, K extends TaskTypeOf<C>>(
  reporter: TaskReporter<C>,
  ref: TaskRef<K> & { readonly taskType: K },
): Promise<ContractWorkerTask<C, K>>;
export function workerTask(reporter: TaskReporter, ref: TaskRef & { readonly taskType?: undefined }): Promise<WorkerTask>;
export function workerTask(reporter: TaskReporter<undefined>, ref: TaskRef): Promise<WorkerTask>;
export async function workerTask(reporter: TaskReporter, ref: TaskRef): Promise<WorkerTask> {
  const work = await reporter.claim(ref);
  if (!work) throw new TaskStopped({ why: 'ended' });
  return begun(reporter, work);
}

/** Of all tasks of this process. */
const unsent: RunDeps['unsent'] = { count: 0 };

async function begun(reporter: TaskReporter, work: ClaimedWork): Promise<WorkerTask> {
  const { contract } = reporter;
  const opened = unsettled<Task>();
  const ended = unsettled<Json | void>();
  const handler = (task: Task) => {
    opened.resolve(task);
    return ended.promise;
  };
  const type = contract && contractType(contract, work.taskType);
  // Whoever fails the task has the error at hand: nobody else is to be told of it.
  const run = new Run(
    work,
    { handler, type, slot: new Slot(new Slots(1, nothing)) },
    { ...reportRetries(work), clock: work.clock, unsent, failed: nothing },
  );
  const unfollow = work.follow({ resume: (resolution) => void run.resume(resolution), stop: (order) => run.stop(order) });
  const over = run.run();
  void over.then(unfollow);
  const task = await Promise.race([opened.promise, over.then(notBegun)]);
  const ending: RunEnding<Json | void> = {
    async complete(result) {
      ended.resolve(result);
      const end = await over;
      if (end.status !== 'completed') throw end.error;
    },
    async fail(error) {
      ended.reject(error);
      const end = await over;
      if (end.status === 'unwritten') throw end.error;
    },
    leave() {
      unfollow();
      run.stop({ why: 'fenced' });
    },
  };
  return Object.assign(task, ending);
}

/** It was stopped before it began. */
function notBegun(end: RunEnd): never {
  throw end.status === 'completed' ? new TaskStopped({ why: 'ended' }) : end.error;
}

function unsettled<T>() {
  let settle: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void } = { resolve: nothing, reject: nothing };
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
}

function nothing(): void {
  // Nobody is told.
}
