import type { FactBody, FactPayload } from './wire/facts.ts';

/** What the work behind a task says about itself. Only the attempt that holds the task may say it; see the server's execution record. */
export type ReportIntent =
  | { readonly type: 'report.started'; readonly payload: FactPayload<'TASK_STARTED'> }
  | { readonly type: 'report.progress'; readonly payload: FactPayload<'TASK_PROGRESS'> }
  | { readonly type: 'report.message'; readonly payload: FactPayload<'TASK_MESSAGE'> }
  | { readonly type: 'report.suspended'; readonly payload: FactPayload<'TASK_SUSPENDED'> }
  | { readonly type: 'report.completed'; readonly payload: FactPayload<'TASK_COMPLETED'> }
  | { readonly type: 'report.failed'; readonly payload: FactPayload<'TASK_FAILED'> }
  | { readonly type: 'report.cancelled'; readonly payload: Partial<FactPayload<'TASK_CANCELLED'>> };

/**
 * What the charts are asked of parts. No {@link ReportIntent}: how long a part is, and what of its text a fact has, only the server knows, which asks the store
 * where the bytes are. What work says of its parts is the executor port's.
 */
export type PartIntent =
  | { readonly type: 'report.part.opened'; readonly payload: FactPayload<'TASK_PART_OPENED'> }
  | { readonly type: 'report.part.closed'; readonly payload: FactPayload<'TASK_PART_CLOSED'> };

/** What people and the server itself wish of a task. */
export type TaskIntent =
  | ReportIntent
  | PartIntent
  /** A part was left open by work that goes no further: the server closes it, with what there is of it. */
  | { readonly type: 'part.abandon'; readonly payload: Omit<FactPayload<'TASK_PART_CLOSED'>, 'outcome'> }
  /** A person wants the task to end. */
  | { readonly type: 'task.cancel'; readonly reason?: string }
  /** The server found that the work cannot go on: refused, unreachable or lost. */
  | { readonly type: 'task.fail'; readonly payload: FactPayload<'TASK_FAILED'> }
  /** The work had its time to heed a cancel and did not. */
  | { readonly type: 'cancel.overdue' };

/** What is known of an action's client-made id: used for this very action, for another one, or (absent) never used. */
export type Receipt = 'same' | 'different';

/** What is wished of one suspension. */
export type SuspensionIntent =
  | {
      readonly type: 'action.submit';
      readonly suspendId: string;
      readonly clientActionId: string;
      readonly actionType: string;
      readonly receipt?: Receipt;
      /** The store's time, RFC 3339, UTC. */
      readonly at: string;
    }
  /** The store's time may have passed the question's deadline. */
  | { readonly type: 'suspension.expire'; readonly suspendId: string; readonly at: string };

/** A wish that may become facts, or be refused. */
export type Intent = TaskIntent | SuspensionIntent;
/** The types of all intents. */
export type IntentType = Intent['type'];

/** Why an intent became no fact of its own; each is an answer that a caller can act on. */
export const refusalCodes = {
  ALREADY_TERMINAL: 'The task has ended.',
  CANCELLING: 'The task is about to be cancelled and asks nothing any more.',
  NOT_CANCELLING: 'Nobody asked the task to end.',
  TOO_MANY_OPEN_SUSPENSIONS: 'The task has as many open questions as one may have.',
  TOO_MANY_SUSPENSIONS: 'The task has asked as many questions as one may ask in its life.',
  TOO_MANY_OPEN_PARTS: 'The task has as many open parts as one may have.',
  TOO_MANY_PARTS: 'The task has opened as many parts as one may open in its life.',
  PART_NOT_OPEN: 'The task has no such part, or it was closed before.',
  PARTS_OPEN: 'The task ends once its open parts are closed.',
  ALREADY_ASKED: 'This question was asked before.',
  SUSPENSION_NOT_FOUND: 'The task never asked this question.',
  NOT_DUE: 'The deadline of the question lies ahead, or it has none, or it is closed.',
  DEDUPLICATED: 'This very action was accepted before.',
  IDEMPOTENCY_CONFLICT: 'The id of this action was used for another one.',
  REJECTED_ALREADY_RESOLVED: 'The question was answered or withdrawn.',
  REJECTED_EXPIRED: 'The question was not answered in time.',
  ACTION_NOT_ALLOWED: 'The question does not take an action of this type.',
} as const;
/** Why an intent was refused. */
export type RefusalCode = keyof typeof refusalCodes;

/** What a chart emits instead of a fact when it refuses. */
export interface Refusal {
  readonly type: 'refused';
  readonly code: RefusalCode;
}

/** What the recorded charts emit. */
export type Emitted = FactBody | Refusal;
