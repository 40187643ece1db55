import type { Readable } from 'node:stream';
import type { RefusalCode, ReportIntent } from '../../machines/index.ts';
import type { FactPayload, Json, JsonObject } from '../../machines/wire/index.ts';
import type { TaskContract } from '../../machines/contract/index.ts';
import type { AttachmentReference } from './attachments.ts';
import type { PathParams } from './auth.ts';
import type { Fence, FlushOutcome, LaneFlush } from './lanes.ts';
import type { TraceContext } from './tracing.ts';

/** An attachment as work sees it. */
export interface WorkAttachment extends AttachmentReference {
  open(): Promise<Readable>;
}

/** What work says of its parts. Taken where the store keeps their bytes (`Store.lanes`). */
export type PartReport =
  | {
      readonly type: 'report.part.opened';
      readonly payload: FactPayload<'TASK_PART_OPENED'>;
      /** What {@link WorkParts.opened} finds it by: 1 to 64 characters that no other part of this attempt has. */
      readonly key: string;
      /** An attempt that begins again goes on with it. Left out, it is abandoned then. */
      readonly onRerun?: 'continue';
      /** Where it ends as DONE its text is said once more, in one `TASK_MESSAGE`, or several where one has no room for it. */
      readonly closeAs?: 'message';
    }
  /** It is whole: with all that was flushed. With the outcome `ABANDONED` it is not, and nobody goes on with it. */
  | {
      readonly type: 'report.part.closed';
      readonly payload: Pick<FactPayload<'TASK_PART_CLOSED'>, 'part'> & Partial<Pick<FactPayload<'TASK_PART_CLOSED'>, 'outcome'>>;
    }
  /** This attempt goes on with what an earlier one has left ({@link WorkParts.left}), and calls it so. What nobody takes up is abandoned at the end. */
  | { readonly type: 'report.part.adopted'; readonly payload: Pick<FactPayload<'TASK_PART_CLOSED'>, 'part'>; readonly key: string }
  /** A flush was `fenced`: where the part is this attempt's and open, it goes on under another fence. */
  | { readonly type: 'report.part.continued'; readonly payload: Pick<FactPayload<'TASK_PART_CLOSED'>, 'part'> };

/** A part that is open, and the fence under which its attempt writes to it. */
export interface OpenedPart {
  /** The number of the fact that opened it. */
  readonly part: number;
  /** What it has before the attempt adds to it is `fence.epoch.from` bytes long. */
  readonly fence: Fence;
  /** Under which its work opened it or took it up; absent for one that an attempt before has left. */
  readonly key?: string;
}

/** What work does with its parts beside its reports. All reject with `STORE_UNAVAILABLE` (ask again). */
export interface WorkParts {
  /** A part of this attempt, by the key under which it opened it or by its number, under a fence whose mark is not `after`; undefined where there is none. */
  opened(of: string | number, after?: string): Promise<OpenedPart | undefined>;
  /** The open parts of this attempt whose keys begin so. */
  openedBy(keyPrefix: string): Promise<readonly OpenedPart[]>;
  /** The parts of a name that an earlier attempt has left for this one to go on with, in the order in which they were opened. */
  left(name: string): Promise<readonly OpenedPart[]>;
  /** What a part had when its fence was given; undefined where that is gone. */
  read(part: OpenedPart): Promise<string | undefined>;
  /** Adds bytes. Sent again after a rejection, the same flush is written once. Rejects with `PAYLOAD_TOO_LARGE` too. */
  flush(flush: LaneFlush): Promise<FlushOutcome>;
}

/** What the work says in one breath: all of it is committed, or none. */
export interface WorkReport {
  /** `main`, or an activity's id. */
  readonly source: string;
  /** Rises within a source; a report whose number was seen is not taken twice. */
  readonly seq: number;
  readonly intents: readonly (ReportIntent | PartReport)[];
  /** Replaces what a later attempt begins with; written in the same commit. */
  readonly save?: Json;
  /**
   * The questions of this run without whose answers it does nothing: it *waits* as long as one of them is open, until it reports something else or
   * is handed an answer, and what crashes its process meanwhile is not held against it. Empty where the run works on though it asks. Left
   * out, it is what the report asks.
   */
  readonly awaits?: readonly string[];
  /**
   * The questions whose ends the run was told since its last report. What is owed of them is noted with it, and before it: a run that was answered and asks at once
   * waits. Left out, it is noted when `resume` has answered, which may be after such a report.
   */
  readonly handed?: readonly string[];
  /**
   * How the questions of `handed` ended, as the run was told. Where the store says otherwise it has lost what the run heard, and the run is fenced.
   * Left out, nothing is compared.
   */
  readonly heard?: readonly HeardEnd[];
}

/** The end of a question, as a run was told of it. */
export interface HeardEnd {
  readonly suspendId: string;
  readonly outcome: Resolution['outcome'];
  /** The action that answered it; absent where none did. */
  readonly clientActionId?: string;
}

/**
 * Why an intent of a report became no fact of its own: as the charts have it, or `ASKED_OTHERWISE`: another question was asked under this key
 * before, and its answer, if there is one, is not for this one; or `QUESTIONS_FULL`: the task's owner has as many open questions as one may.
 */
export type ReportRefusal = RefusalCode | 'ASKED_OTHERWISE' | 'QUESTIONS_FULL';

/** What became of a report. */
export type WorkReportOutcome =
  /** The facts are in the log. `refusals[i]` says why intent `i` became none, where it did not. */
  | { readonly status: 'committed'; readonly refusals: readonly (ReportRefusal | undefined)[] }
  /** It had been committed before. */
  | { readonly status: 'duplicate' }
  /** This attempt no longer holds the task: stop working. */
  | { readonly status: 'fenced' };

/** An answer as it was accepted. */
export interface AcceptedAction {
  readonly clientActionId: string;
  readonly actionType: string;
  readonly payload: JsonObject;
  readonly metadata: JsonObject;
  /** RFC 3339, UTC. */
  readonly acceptedAt: string;
}

/** How a question ended. */
export type Resolution =
  | { readonly outcome: 'ANSWERED'; readonly suspendId: string; readonly action: AcceptedAction }
  | { readonly outcome: 'EXPIRED' | 'CANCELLED'; readonly suspendId: string };

/** Names one run of a task's work. */
export interface AttemptRef {
  readonly taskId: string;
  /** 1, 2, 3 … within the task. */
  readonly attempt: number;
}

/** A file that work makes. */
export interface NewWorkAttachment {
  /** 1–256 characters, no path. A file of the task that has it is replaced. */
  readonly name: string;
  /** Text is kept as UTF-8. */
  readonly content: Uint8Array | string | AsyncIterable<Uint8Array | string>;
  /** Defaults to `application/octet-stream`. */
  readonly contentType?: string | undefined;
}

/** Lists a file whose bytes are safe among those of its task, once however often it is asked; `fenced`: the run counts no more, and the file is gone. */
export type ListAttachment = () => Promise<'listed' | 'fenced'>;

/** One run of a task's work, as the executor gets it. */
export interface Work extends AttemptRef {
  readonly taskType: string;
  readonly owner: string;
  readonly clientRequestId: string;
  /** This, `metadata`, `attachments` and `saved` are kept as text, and parsed when they are first asked for. */
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** What stood in the path of the request that created the task, by the names of its route. */
  readonly params: PathParams;
  readonly attachments: readonly WorkAttachment[];
  /** What the last `save` of an earlier attempt left. */
  readonly saved: Json | undefined;
  /** Where this attempt stands in its task's trace, for spans of work elsewhere to hang beneath. Absent where the create came without one, and nobody traces. */
  readonly traceContext?: TraceContext;
  /** How long the text is that all this is kept as, in characters. */
  readonly contentCharacters?: number;
  /** Forgets what was parsed of it, which takes many times the room of its text, until it is asked for again: for work that waits. */
  rest?(): void;
  /** The last number of each source that was taken from an earlier attempt starts anew: numbers count within an attempt. */
  report(report: WorkReport): Promise<WorkReportOutcome>;
  /**
   * Keeps a file, and resolves with what lists it, when its bytes are safe. Rejects with a `TaskBridgeError`: `REQUEST_VALIDATION_ERROR` for its name,
   * `PAYLOAD_TOO_LARGE` above `attachmentBytesMax` (listing it: above `attachmentsMax` files).
   */
  attach(file: NewWorkAttachment): Promise<ListAttachment>;
  /** How a question of an earlier attempt ended; undefined while it is open or was never asked. */
  resolution(suspendId: string): Promise<Resolution | undefined>;
  /** The store's time, in milliseconds since the epoch, to name deadlines by. */
  now(): number;
  /** Absent where the store keeps no parts. */
  readonly parts?: WorkParts;
  /** The store has lost what this run wrote: it is given up, and run again where it may be. */
  lost?(): void;
}

/** What `start` says: the work runs, or will not. A throw means that nobody could be asked; it is tried again. */
export type StartOutcome = { readonly status: 'started' } | { readonly status: 'refused'; readonly failure: FactPayload<'TASK_FAILED'> };

/** How work stands that an outside system keeps. */
export type WorkStatus =
  | { readonly status: 'running' }
  /** It ended, by itself or by somebody's hand, and its end may not have been reported: this is what the log shall say of it. */
  | {
      readonly status: 'ended';
      readonly end: Extract<ReportIntent, { readonly type: 'report.completed' | 'report.failed' | 'report.cancelled' }>;
    };

/** Why work has to stop. */
export interface StopOrder {
  /** `cancel`: somebody asked, the work may still end in its own way. `ended`, `fenced`: nothing that it says counts any more. */
  readonly why: 'cancel' | 'ended' | 'fenced';
  readonly reason?: string;
}

/**
 * Runs the work behind tasks. Every verb may be called again for the same attempt after a crash. It commits `report.started` before the first
 * side effect of a run: what has not reported never began, and is run again whatever happened to its node.
 */
export interface TaskExecutor {
  /** What logs and the readiness check call it. */
  readonly name: string;
  /** True where the work lives and dies with the node that started it; such attempts hold a lease. */
  readonly leased: boolean;
  handles(taskType: string): boolean;
  /**
   * The types that it handles, where it can name them: work that waits in the store is found by them. Without it, a node finds what waits of
   * types that it has seen since it was started: created here, or looked at.
   */
  readonly types?: readonly string[];
  /** What the types that it handles are given, ask and give: checked where tasks are created, answered and completed. Defaults to nothing. */
  readonly contract?: TaskContract;
  /**
   * How many more runs could begin now. A node claims no more than that; what it has no room for waits in the store, for any node. Without it
   * there is no limit.
   */
  room?(): number;
  /** From now on calls back whenever there may be more room than before; else a node finds out when it looks again. */
  onRoom?(listener: () => void): void;
  /** True where work that had begun and was lost may be run again from its beginning, or from what it saved. */
  repeatable(taskType: string): boolean;
  start(work: Work): Promise<StartOutcome>;
  resume(attempt: AttemptRef, resolution: Resolution): Promise<void>;
  cancel(attempt: AttemptRef, order: StopOrder): Promise<void>;
  /**
   * Where the work outlives its node: how it stands. Asked every `inspectMs`, and after a host was down, so that work that was ended from
   * outside ends its task. A throw means that nobody could be asked; it is tried again.
   */
  inspect?(attempt: AttemptRef): Promise<WorkStatus>;
  /** Ready to take work? A text says why not. */
  health?(): Promise<string | undefined>;
  close?(): Promise<void>;
}
