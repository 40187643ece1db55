import { stateOf, type TaskState } from '../../machines/index.ts';
import { eventId as idOf, parseEventId, type EventId } from '../../machines/wire/index.ts';
import type { LogPosition } from '../live/log-position.ts';
import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { AttemptRef } from '../ports/executor.ts';
import { noSpan } from '../observability/guarded-tracer.ts';
import type { Span } from '../ports/tracing.ts';
import type { TaskAbout } from '../task/about.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { withTimeLimit } from './time-limit.ts';

/** A run of a task's work on this node. */
export interface RunningAttempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly taskType: string;
  /** When it was told to stop while the store was silent, by the monotonic clock; it is to be put back when that answers. */
  readonly abortedAt: number | undefined;
  /** Where its task stood when it was looked at last. */
  readonly state: TaskState;
  /** Ends of questions that were still to be handed to it then. */
  readonly pending: number;
}

/** A run that is over. */
export interface EndedRun extends Pick<RunningAttempt, 'taskId' | 'attempt' | 'taskType'> {
  /** How long it went on, by the monotonic clock. */
  readonly ms: number;
}

interface OwnAttempt extends RunningAttempt {
  abortedAt: number | undefined;
  state: TaskState;
  pending: number;
  readonly beganAt: number;
  readonly span: Span;
  /** The newest fact of its log that was seen here. */
  seen: EventId | null;
  history: 'whole' | 'lost';
  /** What was the newest when the store said last that it may have lost something; undefined where that was looked up since. */
  doubted: EventId | undefined;
  /** The last facts of commits that this node made and the tail has not told of; undefined for none. */
  untold: Set<EventId> | undefined;
  /** Undefined before it listens. */
  stopListening: (() => void) | undefined;
}

/** What the running attempts work with. */
export interface RunningAttemptsDeps {
  readonly clock: Clock;
  /**
   * Calls back after commits of a task, whichever node made them, with the newest fact where that is all; gives the way to stop. Calls once when
   * it begins to hear of them.
   */
  listen(taskId: string, onCommit: (newest?: LogPosition) => void): () => void;
  /** Resolves when all that this node decides for a task now has its answer; undefined where that is nothing. */
  settled(taskId: string): Promise<void> | undefined;
  /** Called after a commit of another node, of a task whose work runs here; sometimes once too often. */
  onCommit(taskId: string): void;
  /** Called when work runs here no more. */
  onReleased(taskId: string): void;
  /** Called beside it for work that its executor had begun. */
  onRunEnded?(run: EndedRun): void;
}

/**
 * A run that is over within one to two of these, in milliseconds, is never listened to: what another node took meanwhile is read when that begins,
 * and to begin and to end costs the store as much as a commit.
 */
const LISTEN_MS = 100;
/** Commits of one run that are remembered until the tail tells of them. Of an older one it is news, and the task is read. */
const UNTOLD_MAX = 64;

/** The attempts whose work runs on this node. While one runs, its task's commits are listened to, so that answers and cancels reach the work. */
export class RunningAttempts {
  readonly #deps: RunningAttemptsDeps;
  readonly #running = new Map<string, OwnAttempt>();
  /** Runs that are not listened to yet: those that began since the last look at them, and those before. */
  #young = new Set<string>();
  #older = new Set<string>();
  #timer: unknown;
  #onEmpty: (() => void) | undefined;

  constructor(deps: RunningAttemptsDeps) {
    this.#deps = deps;
  }

  /** The attempt of a task that runs here, if one does. */
  attemptOf(taskId: string): number | undefined {
    return this.#running.get(taskId)?.attempt;
  }

  /** All of them. */
  all(): readonly RunningAttempt[] {
    return [...this.#running.values()];
  }

  /** The work of an attempt begins here. */
  add({ taskId, taskType }: Pick<TaskAbout, 'taskId' | 'taskType'>, attempt: number, span = noSpan): void {
    this.release(taskId);
    this.#running.set(taskId, {
      taskId,
      attempt,
      taskType,
      abortedAt: undefined,
      state: 'accepted',
      pending: 0,
      beganAt: monotonicMs(this.#deps.clock),
      span,
      seen: null,
      history: 'whole',
      doubted: undefined,
      untold: undefined,
      stopListening: undefined,
    });
    this.#young.add(taskId);
    this.#arm();
  }

  /** Notes where a task stands, where its work runs here. */
  noteStanding({ about, aggregate, execution }: TaskRecord): void {
    const running = this.#running.get(about.taskId);
    if (!running) return;
    running.state = stateOf(aggregate.task);
    running.pending = execution.attempt.context.pendingDeliveries.length;
  }

  /** The run of a task was told to stop, and is to be put back. */
  abort(taskId: string): void {
    const running = this.#running.get(taskId);
    if (running) running.abortedAt = monotonicMs(this.#deps.clock);
  }

  /** True where the run of a task is only still here to be put back. */
  isAborted(taskId: string): boolean {
    return this.#running.get(taskId)?.abortedAt !== undefined;
  }

  /** The newest fact of a running task's log that was seen here; null for none. */
  newestOf(taskId: string): EventId | null {
    return this.#running.get(taskId)?.seen ?? null;
  }

  /** Notes that a fact of a task's log was seen here. */
  noteSeen(taskId: string, eventId: EventId | null): void {
    const running = this.#running.get(taskId);
    if (running && eventId !== null && isNewer(eventId, running.seen)) running.seen = eventId;
  }

  /** This node has committed facts of a task, the last of which is this one. */
  noteCommitted(taskId: string, last: EventId): void {
    const running = this.#running.get(taskId);
    if (!running) return;
    this.noteSeen(taskId, last);
    if (!running.stopListening) return;
    const untold = (running.untold ??= new Set());
    untold.add(last);
    if (untold.size > UNTOLD_MAX) for (const oldest of untold) return void untold.delete(oldest);
  }

  /** The newest fact that the store has, and the newest that was seen here when it was asked. */
  compare(taskId: string, newest: EventId | null, asked: EventId | null): void {
    const running = this.#running.get(taskId);
    if (running && asked !== null && newest !== asked && !isNewer(newest, asked)) running.history = 'lost';
    this.noteSeen(taskId, newest);
  }

  /** The store may have lost something: what was seen here until now is to be looked up. */
  doubt(taskId: string): void {
    const running = this.#running.get(taskId);
    if (running) running.doubted ??= running.seen ?? undefined;
  }

  /** The fact that is to be looked up in a task's log; undefined for none. */
  doubtedOf(taskId: string): EventId | undefined {
    return this.#running.get(taskId)?.doubted;
  }

  /** It was looked up, and is there, or was trimmed. */
  settleDoubt(taskId: string): void {
    const running = this.#running.get(taskId);
    if (running) running.doubted = undefined;
  }

  /** The store has lost what a run said or heard. */
  noteLost({ taskId, attempt }: AttemptRef): void {
    const running = this.#running.get(taskId);
    if (running?.attempt === attempt) running.history = 'lost';
  }

  /** True where the store has lost facts of a log which were seen here. */
  hasLost(taskId: string): boolean {
    return this.#running.get(taskId)?.history === 'lost';
  }

  /** The work of a task runs here no more, or counts no more; `hasBegun` is false where its executor never had it. */
  release(taskId: string, hasBegun = true): void {
    const running = this.#running.get(taskId);
    running?.stopListening?.();
    if (running && hasBegun) this.#tellEnd(running);
    running?.span.end(hasBegun ? {} : { error: 'not started' });
    this.#young.delete(taskId);
    this.#older.delete(taskId);
    if (this.#running.delete(taskId)) this.#deps.onReleased(taskId);
    if (this.#running.size === 0) this.#onEmpty?.();
  }

  #tellEnd({ taskId, attempt, taskType, beganAt }: OwnAttempt): void {
    this.#deps.onRunEnded?.({ taskId, attempt, taskType, ms: monotonicMs(this.#deps.clock) - beganAt });
  }

  #arm(): void {
    this.#timer ??= this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      for (const taskId of this.#older) this.#listen(taskId);
      this.#older = this.#young;
      this.#young = new Set();
      if (this.#older.size > 0) this.#arm();
    }, LISTEN_MS);
  }

  #listen(taskId: string): void {
    const running = this.#running.get(taskId);
    if (running) running.stopListening = this.#deps.listen(taskId, (newest) => this.#hear(running, newest));
  }

  /** What this node has committed itself it knows, and did what follows from it. */
  #hear(running: OwnAttempt, newest: LogPosition | undefined): void {
    const { taskId } = running;
    if (newest && this.#isOwn(running, newest)) return;
    // The tail may be faster than the answer to the commit.
    const settled = newest && this.#deps.settled(taskId);
    if (!settled) return this.#deps.onCommit(taskId);
    void settled.then(() => {
      if (this.#running.get(taskId) === running && !this.#isOwn(running, newest)) this.#deps.onCommit(taskId);
    });
  }

  /** The tail tells of commits in their order, those of one turn at once. */
  #isOwn(running: OwnAttempt, { n, ms }: LogPosition): boolean {
    const last = idOf(n, ms ?? 0);
    const { untold } = running;
    if (!untold?.has(last)) return false;
    for (const id of untold) {
      untold.delete(id);
      if (id === last) break;
    }
    if (untold.size === 0) running.untold = undefined;
    return true;
  }

  /** Resolves when no work runs any more, or after that many milliseconds. */
  async drained(ms: number): Promise<void> {
    if (this.#running.size === 0 || ms <= 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await withTimeLimit(this.#deps, ms, empty).catch(() => undefined);
  }
}

/** By their numbers alone: of one number and two dates, one is of a history that the store has lost. */
function isNewer(one: EventId | null, other: EventId | null): boolean {
  return one !== null && (other === null || (parseEventId(one)?.n ?? 0) > (parseEventId(other)?.n ?? 0));
}
