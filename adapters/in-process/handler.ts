import type {
  AcceptedAction,
  NewWorkAttachment,
  PathParams,
  Question,
  StopOrder,
  TraceContext,
  WorkAttachment,
} from '../../server/ports/index.ts';
import type { FactPayload, Json, JsonObject } from '../../machines/wire/index.ts';

export type { Question };

/** How a part of a task is opened. */
export interface PartOptions {
  /** What it is. All of these only grow; for a value that is replaced see {@link ValueOptions}. */
  readonly kind: Exclude<FactPayload<'TASK_PART_OPENED'>['kind'], 'latest'>;
  /** A flat object of at most 1024 bytes as JSON, for programs that show it. */
  readonly attributes?: FactPayload<'TASK_PART_OPENED'>['attributes'];
  /**
   * A run after a crash goes on with what is there (`text`) where it opens a part of this name; where it opens none until it ends, what is there is abandoned then. Left out,
   * that is abandoned when the run begins, and a part of the same name is another one.
   */
  readonly onRerun?: 'continue';
  /** When it is whole its text is said once more as a message, for clients that know no parts; several where it is too long for one. */
  readonly closeAs?: 'message';
  /** From the start of a flush until the next one, in milliseconds, at least 10: a store that takes longer has the next one follow at once. Defaults to 50. */
  readonly flushMs?: number;
  /** Bytes that are flushed without a rest. Defaults to 4 KiB. */
  readonly flushBytes?: number;
}

/**
 * A part of a task that is being written. Its promises are as those of the task: none has to be awaited, and a refusal that nobody hears of fails
 * the task when the handler has ended. A part has at most 4 MiB.
 */
export interface PartStream {
  /** What an earlier run left, where this one goes on with it, else ''; resolves when the part is open. */
  readonly text: Promise<string>;
  /**
   * Adds a text, in pieces of any size: half a character waits for its other half. The first goes out at once, what follows as the options say. Where more
   * than 64 KiB wait to be sent, or 64 MiB of all parts of the process, gives a promise to wait for before more is written.
   */
  write(text: string): Promise<void> | undefined;
  /** Adds all that comes, and waits where too much is unsent. Rejects as the source does, and with a {@link TaskStopped} where the task is to stop. */
  pipe(source: AsyncIterable<string>): Promise<void>;
  /** Closes the part as whole. A part that is open when the handler returns is closed so too; where it throws, or is cancelled, it is abandoned. */
  end(): Promise<void>;
}

/** How a part of a task is opened that is one JSON value, which is replaced: a table's cell, a plan, where a crawler stands. */
export interface ValueOptions extends Pick<PartOptions, 'attributes' | 'onRerun'> {
  readonly kind: 'latest';
}

/** A value of a task that is replaced as often as there is a newer one, as {@link PartStream} says. It may be written four million times (4 194 304). */
export interface ValueStream {
  /** What an earlier run left, where this one goes on with it, else undefined; resolves when the part is open. */
  readonly value: Promise<Json | undefined>;
  /**
   * Replaces the value. The first goes out at once, later ones twenty times a second at most: of those that come meanwhile, or while the store is slow, only the newest is
   * kept. So there is nothing to wait for: gives a promise only where it refuses, of a value that has more than 64 KiB as JSON (`PAYLOAD_TOO_LARGE`), or is none
   * (`REPORT_REFUSED`, with the place); the value before stays.
   */
  write(value: Json): Promise<void> | undefined;
  /** Closes the part with the value that was written last. One that is open when the handler returns is closed so too; where it throws, or is cancelled, it is abandoned. */
  end(): Promise<void>;
}

/**
 * The task as its handler sees it. Calls that report resolve when they are committed. None has to be awaited: a rejection that nobody hears,
 * since the task was cancelled or is another run's, ends nothing but what was chained to it; one that says that a report breaks a rule fails
 * the task when the handler has ended. An async function of the handler's own that
 * awaits one is for the handler to await, or to catch.
 */
export interface Task {
  readonly taskId: string;
  readonly taskType: string;
  readonly owner: string;
  /** 1 for the first run. */
  readonly attempt: number;
  /**
   * What the task was created with. This, `metadata`, `attachments` and `saved` are parsed when they are first asked for, and anew after the run
   * has waited for an answer: what is changed in them is lost then.
   */
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** What stood in the path of the request that created the task, by the names of its route: `{ projectId: '7' }`. A caller wrote it. */
  readonly params: PathParams;
  readonly attachments: readonly WorkAttachment[];
  /** What the last `save` of an earlier run left; undefined in a first run. */
  readonly saved: Json | undefined;
  /** Where this run stands in its task's trace: what it has others do goes on there. Absent where the create came without one, and nobody traces. */
  readonly traceContext?: TraceContext;
  /** Aborts when the task is cancelled, has ended, or is no longer this run's; its reason is a {@link TaskStopped}. */
  readonly signal: AbortSignal;
  /** 0–100, with a stage and a message where there are any. What is just beyond becomes 0 or 100. */
  progress(progress: number, about?: { readonly stage?: string; readonly message?: string }): Promise<void>;
  message(message: string, level?: FactPayload<'TASK_MESSAGE'>['level']): Promise<void>;
  /**
   * Asks, and resolves with the accepted action. Several may be open at once, each under a key of its own; a run after a crash that asks the
   * same under the same key gets the answer that was given. Rejects with code `SUSPENSION_EXPIRED`, `TASK_STOPPED`, or `SUSPENSION_KEY_USED`
   * where this run used the key already, or an earlier one did for another question.
   */
  suspend(key: string, question: Question): Promise<AcceptedAction>;
  /**
   * Keeps a file for those who may see the task, and lists it once its bytes are safe: `attachments` of the task's snapshot. One of the same name is replaced, so that
   * a run after a crash may attach again. Rejects with a `TaskBridgeError` for a name with a path in it (`REQUEST_VALIDATION_ERROR`), and for a file above
   * `attachmentBytesMax` (64 MiB) or one more than `attachmentsMax` (16), as `PAYLOAD_TOO_LARGE`. Defaults to `application/octet-stream`.
   */
  attach(name: string, content: NewWorkAttachment['content'], contentType?: string): Promise<void>;
  /** Opens a part that is one JSON value, such as the state of a table, to be replaced as the work goes on. Its last value is there before what is reported next, as the text of the others. */
  stream(name: string, options: ValueOptions): ValueStream;
  /**
   * Opens a part of the task that grows, such as an answer that comes word by word; the same name opened again is another part. What was written before
   * `progress`, `message`, `suspend`, `save` and the end is there before those. Rejects (its `text`) where the task has 16 open parts or had 1000, and where the host's store keeps none.
   */
  stream(name: string, options: PartOptions): PartStream;
  /** Remembers a value for a run after a crash. Reports made in the same synchronous turn are committed together with it, or not at all. */
  save(value: Json): Promise<void>;
}

/** Does the work of one type of task: its result completes the task, a throw fails it. */
export type Handler = (task: Task) => Promise<Json | void>;

/**
 * Ends a task as failed, with a code and a text of the handler's own, which people read. Any other throw becomes `HANDLER_FAILED`, and its
 * text goes to the host alone.
 */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { readonly retryable?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Why a run has to stop: what `signal.reason` is, and what a question that is withdrawn rejects with. Its code is `TASK_STOPPED`. */
export class TaskStopped extends TaskFailure {
  /** `cancel`: somebody asked, and what the handler does next still counts. `ended`: the task is over. `fenced`: another run has it. */
  readonly why: StopOrder['why'];

  constructor({ why, reason }: StopOrder) {
    super('TASK_STOPPED', reason ?? `The task was stopped (${why}).`);
    this.why = why;
  }
}
