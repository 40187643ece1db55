import { compareEventIds, type EventId } from '../../machines/wire/index.ts';
import { monotonicMs, type Clock } from '../ports/clock.ts';
import { withTimeLimit } from './time-limit.ts';

/** A run of a task's work on this node. */
export interface RunningAttempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly taskType: string;
  /** When it was told to stop while the store was silent, by the monotonic clock; it is to be put back when that answers. */
  readonly abortedAt: number | undefined;
}

interface OwnAttempt extends RunningAttempt {
  abortedAt: number | undefined;
  /** The newest fact of its log that was seen here. */
  seen: EventId | null;
  history: 'whole' | 'lost';
  stopListening(): void;
}

/** What the running attempts work with. */
export interface RunningAttemptsDeps {
  readonly clock: Clock;
  /** Calls back after commits of a task, whichever node made them; gives the way to stop. */
  listen(taskId: string, onCommit: () => void): () => void;
  /** Called after a commit of a task whose work runs here. */
  onCommit(taskId: string): void;
  /** Called when work runs here no more. */
  onReleased(taskId: string): void;
}

/** The attempts whose work runs on this node. While one runs, its task's commits are listened to, so that answers and cancels reach the work. */
export class RunningAttempts {
  readonly #deps: RunningAttemptsDeps;
  readonly #running = new Map<string, OwnAttempt>();
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
  add(taskId: string, attempt: number, taskType: string): void {
    this.release(taskId);
    this.#running.set(taskId, {
      taskId,
      attempt,
      taskType,
      abortedAt: undefined,
      seen: null,
      history: 'whole',
      stopListening: this.#deps.listen(taskId, () => this.#deps.onCommit(taskId)),
    });
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

  /** The newest fact that the store has, and the newest that was seen here when it was asked. */
  compare(taskId: string, newest: EventId | null, asked: EventId | null): void {
    const running = this.#running.get(taskId);
    if (running && asked !== null && newest !== asked && !isNewer(newest, asked)) running.history = 'lost';
    this.noteSeen(taskId, newest);
  }

  /** True where the store has lost facts of a log which were seen here. */
  hasLost(taskId: string): boolean {
    return this.#running.get(taskId)?.history === 'lost';
  }

  /** The work of a task runs here no more, or counts no more. */
  release(taskId: string): void {
    this.#running.get(taskId)?.stopListening();
    if (this.#running.delete(taskId)) this.#deps.onReleased(taskId);
    if (this.#running.size === 0) this.#onEmpty?.();
  }

  /** Resolves when no work runs any more, or after that many milliseconds. */
  async drained(ms: number): Promise<void> {
    if (this.#running.size === 0 || ms <= 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await withTimeLimit(this.#deps, ms, empty).catch(() => undefined);
  }
}

function isNewer(one: EventId | null, other: EventId | null): boolean {
  return one !== null && (other === null || (compareEventIds(one, other) ?? 1) > 0);
}
