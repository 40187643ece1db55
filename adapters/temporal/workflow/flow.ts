import type {
  ActionTypeOf,
  AnswerOf,
  AskedQuestion,
  QuestionKey,
  QuestionOf,
  WorkInput,
  WorkResult,
} from '../../../machines/contract/index.ts';
import type { AcceptedAction, AttachmentReference, PathParams, Question } from '../../../server/ports/index.ts';
import type { FactPayload, Json, JsonObject } from '../../../machines/wire/index.ts';
import type { FlowTaskRef } from '../contract.ts';

export type { Question };

/**
 * The task as its workflow sees it. Calls that report resolve when they are committed. None has to be awaited: a refusal that nobody hears fails the
 * task when the flow has ended.
 */
export interface FlowTask {
  readonly taskId: string;
  readonly taskType: string;
  readonly owner: string;
  readonly clientRequestId: string;
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** What stood in the path of the request that created the task, by the names of its route. A caller wrote it. */
  readonly params: PathParams;
  /** By reference. */
  readonly attachments: readonly AttachmentReference[];
  /** Names the task to activities that report by `activityTask`, or hang their spans beneath the attempt's. */
  readonly ref: FlowTaskRef;
  /** What `continueAsNew` carried over; undefined in the first run. */
  readonly carried: Json | undefined;
  /** Why somebody wants the task to end; undefined while nobody does, or gave no reason. */
  readonly cancelReason: string | undefined;
  /** 0–100, with a stage and a message where there are any. Rejects with code `REPORT_REFUSED` for a value that breaks the protocol. */
  progress(progress: number, about?: { readonly stage?: string; readonly message?: string }): Promise<void>;
  /** As `progress`. */
  message(message: string, level?: FactPayload<'TASK_MESSAGE'>['level']): Promise<void>;
  /**
   * Asks, and resolves with the accepted action. Several may be open at once, each under a key of its own (`SUSPENSION_KEY_USED`). Rejects with an `ApplicationFailure` of type
   * `SUSPENSION_EXPIRED`, or of the refusal's code; with a `CancelledFailure` where the task is cancelled or the question withdrawn.
   */
  suspend(key: string, question: Question): Promise<AcceptedAction>;
  /** Goes on in a fresh run, which finds the value as `carried`. Answers that are known, the numbers of reports and the attempt go along. */
  continueAsNew(carried: Json): Promise<never>;
}

/** Does the work of one type of task: its result completes the task, a throw fails it, a cancellation cancels it. */
export type TaskFlow = (task: FlowTask) => Promise<Json | void>;

/** The task of a type of a contract as its workflow sees it: the same as {@link FlowTask}, with its types. */
export interface ContractFlowTask<D> extends Omit<FlowTask, 'input' | 'suspend'> {
  /** What the task was created with, as the schema made it then. */
  readonly input: WorkInput<D>;
  /**
   * Asks a question of the contract, and resolves with the accepted action. The key is its name, or one of several: `duplicates:2`. Rejects as {@link FlowTask} says, and
   * with `REPORT_REFUSED` where the worker's contract has no such question or the question does not fit it.
   */
  suspend<K extends QuestionKey<D>, A extends ActionTypeOf<QuestionOf<D, K>> = ActionTypeOf<QuestionOf<D, K>>>(
    key: K,
    question: AskedQuestion<QuestionOf<D, K>, A>,
  ): Promise<AnswerOf<QuestionOf<D, K>, A>>;
}

/** Does the work of one type of a contract. What it returns has to fit the schema of the result, or the task fails. */
export type ContractFlow<D> = (task: ContractFlowTask<D>) => Promise<WorkResult<D>>;
