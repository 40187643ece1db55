import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  defineSignal,
  defineUpdate,
  DeterminismViolationError,
  isCancellation,
  patched,
  setHandler,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { DefinitionOf, TaskContract, TaskTypeOf } from '../../../machines/contract/index.ts';
import type { FactPayload, Json } from '../../../machines/wire/index.ts';
import type { Resolution, StopOrder, TraceContext } from '../../../server/ports/index.ts';
import { RESOLUTION_UPDATE, signalNames, type ReportedIntent, type TaskInput } from '../contract.ts';
import { failurePayload } from '../failure.ts';
import type { ContractFlow, FlowTask, Question, TaskFlow } from './flow.ts';
import { asked, keyUsed, Questions, suspendIdOf } from './questions.ts';
import { reportPromise, type ReportPromise } from './report-promise.ts';
import { Reports, type ReportingOptions } from './reports.ts';
import { taskFailure } from './task-failure.ts';
import { hasActivity } from './worker-activities.ts';

/** What a run leaves to the one that goes on from it. */
export interface CarriedRun {
  readonly seq: number;
  readonly resolutions: readonly Resolution[];
  readonly order?: StopOrder;
  readonly value: Json;
}

/** A workflow as the executor starts it. */
export type TaskWorkflow = (input: TaskInput, carried?: CarriedRun) => Promise<Json>;

/** Runs that an older version of this code began said it by an activity of their queue, which their histories have. */
const LOCAL_START = 'taskbridge: a start is said where the workflow runs';

const attemptSignal = defineSignal<[number, TraceContext?]>(signalNames.attempt);
const resolutionSignal = defineSignal<[Resolution]>(signalNames.resolution);
const stopSignal = defineSignal<[StopOrder]>(signalNames.stop);
const resolutionUpdate = defineUpdate<void, [Resolution]>(RESOLUTION_UPDATE);

/**
 * Makes a workflow that does all of a task's work: `export const approve = taskWorkflow(async (task) => { … })`. Its name in the
 * worker is the export's. Everything that it reports is committed once; what the flow does besides follows Temporal's rules.
 *
 * With the types of a contract, which are all that the sandbox loads of it, a flow has them too: `taskWorkflow<typeof tasks, 'report.build'>(…)`. The worker's reporter
 * has to have that contract (`createTaskReporter({ store, contract: tasks })`): it says the rest of each question, and checks questions and results.
 */
export function taskWorkflow(flow: TaskFlow, options?: ReportingOptions): TaskWorkflow;
export function taskWorkflow<C extends TaskContract, K extends TaskTypeOf<C>>(
  flow: ContractFlow<DefinitionOf<C, K>>,
  options?: ReportingOptions,
): TaskWorkflow;
export function taskWorkflow(flow: TaskFlow | ContractFlow<never>, options: ReportingOptions = {}): TaskWorkflow {
  // What a contract says is in the types only.
  return (input, carried) => new WorkflowRun(input, carried, options).run(flow as TaskFlow);
}

class WorkflowRun {
  readonly #input: TaskInput;
  readonly #carried: CarriedRun | undefined;
  readonly #reports: Reports;
  readonly #questions: Questions;
  readonly #root = CancellationScope.current();
  readonly #scope = new CancellationScope();
  /** Reports of which it is not known what became of them. */
  readonly #reporting = new Set<Promise<unknown>>();
  /** Those that were refused, and who may have heard of it. */
  readonly #refused: { readonly error: unknown; readonly promise: ReportPromise<unknown> }[] = [];
  /** A run that an older version of this code began goes on as that did: Temporal replays it. */
  readonly #isHearing = patched('taskbridge: a refusal that nobody hears fails the task');
  #order: StopOrder | undefined;
  /** Where the attempt that counts stands in the task's trace. */
  #traceContext: TraceContext | undefined;

  constructor(input: TaskInput, carried: CarriedRun | undefined, options: ReportingOptions) {
    this.#input = input;
    this.#carried = carried;
    this.#traceContext = input.traceContext;
    this.#questions = new Questions(carried?.resolutions ?? []);
    this.#reports = new Reports(input.taskId, { attempt: input.attempt, seq: carried?.seq ?? 0 }, options, () => this.#scope.cancel());
    setHandler(attemptSignal, (attempt, traceContext) => this.#takeOver(attempt, traceContext));
    setHandler(resolutionSignal, (resolution) => this.#questions.resolve(resolution));
    setHandler(resolutionUpdate, (resolution) => this.#questions.resolve(resolution));
    setHandler(stopSignal, (order) => this.#stop(order));
    if (carried?.order) this.#stop(carried.order);
  }

  async run(flow: TaskFlow): Promise<Json> {
    try {
      if (!this.#carried) await this.#report({ type: 'report.started', payload: {} }, this.#startsHere());
      const result = (await this.#scope.run(() => flow(this.#task()))) ?? null;
      await this.#assertHeard();
      await this.#report({ type: 'report.completed', payload: { result } });
      return result;
    } catch (error) {
      if (error instanceof ContinueAsNew || error instanceof DeterminismViolationError) throw error;
      if (!this.#reports.isOver) await this.#reports.report(this.#ending(error)).catch(() => undefined);
      return this.#leave(error);
    }
  }

  /** Whether a start is said by this worker itself: so it stands in the history, for whichever worker replays it. */
  #startsHere(): boolean {
    return (workflowInfo().unsafe.isReplaying || hasActivity('taskbridgeReport')) && patched(LOCAL_START);
  }

  /** A later attempt counts. Its signal may come twice, and after that of one after it. */
  #takeOver(attempt: number, traceContext: TraceContext | undefined): void {
    if (attempt <= this.#reports.attempt) return;
    this.#reports.attempt = attempt;
    this.#traceContext = traceContext ?? this.#traceContext;
  }

  #stop(order: StopOrder): void {
    this.#order ??= order;
    if (order.why === 'cancel') this.#scope.cancel();
    else this.#reports.end();
  }

  /** Temporal's own word for how the workflow ended says the same as the log. */
  #leave(error: unknown): Json {
    const { code, message } = failurePayload(error);
    if (isCancellation(error) && !this.#root.consideredCancelled) {
      // Told to stop by a signal alone: Temporal knows of no cancellation.
      if (this.#order) return null;
      if (this.#reports.isOver) throw ApplicationFailure.create({ type: 'WORK_UNREPORTED', message, nonRetryable: true });
    }
    // Any other throw would have Temporal run the last step again for ever.
    if (error instanceof TemporalFailure) throw error;
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true });
  }

  #task(): FlowTask {
    const { taskId, taskType, owner, clientRequestId, input, metadata, params = {}, attachments } = this.#input;
    const reports = this.#reports;
    const orderOf = () => this.#order;
    const traceContextOf = () => this.#traceContext;
    return {
      taskId,
      taskType,
      owner,
      clientRequestId,
      input,
      metadata,
      params,
      attachments,
      carried: this.#carried?.value,
      get ref() {
        const traceContext = traceContextOf();
        return { taskId, attempt: reports.attempt, ...(traceContext && { traceContext }) };
      },
      get cancelReason() {
        return orderOf()?.reason;
      },
      progress: (progress, about = {}) => this.#say(this.#progress(progress, about)),
      message: (message, level) => this.#say(this.#tell({ type: 'report.message', payload: level ? { message, level } : { message } })),
      suspend: (key, question) => {
        const asking = this.#ask(key, question);
        return this.#say(
          asking,
          asking.then((suspendId) => this.#questions.answer(suspendId)),
        );
      },
      continueAsNew: (value) => this.#continueAsNew(value),
    };
  }

  /** What the flow gets. It need not listen: what was refused and nobody heard of fails the task when the flow has ended. */
  #say<T>(reported: Promise<unknown>, said: Promise<T>): Promise<T>;
  #say<T>(reported: Promise<T>): Promise<T>;
  #say<T>(reported: Promise<unknown>, said = reported as Promise<T>): Promise<T> {
    said.catch(() => undefined);
    if (!this.#isHearing) return said;
    const promise = reportPromise(said);
    const known: Promise<unknown> = reported
      .catch((error: unknown) => {
        if (!isCancellation(error)) this.#refused.push({ error, promise });
      })
      .then(() => this.#reporting.delete(known));
    this.#reporting.add(known);
    return promise;
  }

  /** Throws the first refusal that nobody heard of, once it is known what became of all reports. */
  async #assertHeard(): Promise<void> {
    if (this.#reporting.size > 0) await Promise.all(this.#reporting);
    const unheard = this.#refused.find(({ promise }) => !promise.isHeard());
    if (unheard) throw unheard.error;
  }

  /** Gives the question's id when it is asked. */
  async #ask(key: string, question: Question): Promise<string> {
    const suspendId = suspendIdOf(this.#input.taskId, key);
    this.#questions.begin(suspendId, key);
    // Also where its answer is known from the run before: whether it is the same question, only the task's record tells.
    const { refusal, resolution } = await this.#report(asked(suspendId, question, { taskType: this.#input.taskType, key }));
    if (resolution) this.#questions.resolve(resolution);
    if (refusal === 'ASKED_OTHERWISE') throw keyUsed(key, 'an earlier run asked something else under it');
    // Asked while the task is being cancelled: the scope's end says so.
    if (refusal !== null && refusal !== 'ALREADY_ASKED' && refusal !== 'CANCELLING')
      throw taskFailure(refusal, `The question ${JSON.stringify(key)} was not asked: ${refusal}.`);
    return suspendId;
  }

  async #continueAsNew(value: Json): Promise<never> {
    await this.#reports.settled();
    const traced = this.#traceContext && { traceContext: this.#traceContext };
    const input: TaskInput = { ...this.#input, attempt: this.#reports.attempt, ...traced };
    const { resolutions } = this.#questions;
    return continueAsNew<TaskWorkflow>(input, { seq: this.#reports.seq, resolutions, ...(this.#order && { order: this.#order }), value });
  }

  /** Says it, and throws where it broke a schema or a limit. */
  async #report(intent: ReportedIntent, isLocal = false) {
    const taken = await this.#reports.report(intent, isLocal);
    if (taken.status === 'invalid') throw taskFailure('REPORT_REFUSED', taken.message);
    return { refusal: taken.refusals[0] ?? null, resolution: taken.resolution };
  }

  async #progress(progress: number, about: { readonly stage?: string; readonly message?: string }): Promise<void> {
    // JSON has neither.
    if (!Number.isFinite(progress))
      throw taskFailure('REPORT_REFUSED', `A progress of ${String(progress)} was not reported: it has to be a number from 0 to 100.`);
    await this.#report({ type: 'report.progress', payload: { progress, ...about } });
  }

  async #tell(intent: ReportedIntent): Promise<void> {
    await this.#report(intent);
  }

  #ending(error: unknown): ReportedIntent {
    if (!isCancellation(error) || !this.#scope.consideredCancelled) return { type: 'report.failed', payload: failurePayload(error) };
    const reason = this.#order?.reason;
    const payload: Partial<FactPayload<'TASK_CANCELLED'>> = reason === undefined ? {} : { reason };
    return { type: 'report.cancelled', payload };
  }
}
