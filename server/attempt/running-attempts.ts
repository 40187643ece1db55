import { compareEventIds, type EventId } from '../../machines/wire/index.ts';
import type { Clock } from '../ports/clock.ts';
import { withTimeLimit } from './time-limit.ts';

interface RunningAttempt {
  readonly attempt: number;
  /** The newest fact of its log that was seen here. */
  seen: EventId | null;
  history: 'whole' | 'lost';
  unfollow(): void;
}

/** What the list of held work needs. */
export interface RunningAttemptsDeps {
  readonly clock: Clock;
  /** Calls back after commits of a task, whichever node made them; gives the way to stop. */
  follow(taskId: string, onCommit: () => void): () => void;
  /** Called after a commit of a task whose work is held here. */
  onCommit(taskId: string): void;
}

/** The attempts whose work runs on this node. While one is held, its task's log is followed, so that answers and cancels reach the work. */
export class RunningAttempts {
  readonly #deps: RunningAttemptsDeps;
  readonly #held = new Map<string, RunningAttempt>();
  #onEmpty: (() => void) | undefined;

  constructor(deps: RunningAttemptsDeps) {
    this.#deps = deps;
  }

  /** The attempt that is held of a task, if one is. */
  attemptOf(taskId: string): number | undefined {
    return this.#held.get(taskId)?.attempt;
  }

  all(): readonly { readonly taskId: string; readonly attempt: number }[] {
    return [...this.#held].map(([taskId, { attempt }]) => ({ taskId, attempt }));
  }

  hold(taskId: string, attempt: number): void {
    this.release(taskId);
    this.#held.set(taskId, {
      attempt,
      seen: null,
      history: 'whole',
      unfollow: this.#deps.follow(taskId, () => this.#deps.onCommit(taskId)),
    });
  }

  /** The newest fact of a held task's log that was seen here; null for none. */
  newestOf(taskId: string): EventId | null {
    return this.#held.get(taskId)?.seen ?? null;
  }

  /** A fact of a task's log was seen here. */
  saw(taskId: string, eventId: EventId | null): void {
    const one = this.#held.get(taskId);
    if (one && eventId !== null && isNewer(eventId, one.seen)) one.seen = eventId;
  }

  /** The newest fact that the store has, and the newest that was seen here when it was asked. */
  compare(taskId: string, newest: EventId | null, asked: EventId | null): void {
    const one = this.#held.get(taskId);
    if (one && asked !== null && newest !== asked && !isNewer(newest, asked)) one.history = 'lost';
    this.saw(taskId, newest);
  }

  /** True where the store has lost facts of a log which were seen here. */
  hasLost(taskId: string): boolean {
    return this.#held.get(taskId)?.history === 'lost';
  }

  release(taskId: string): void {
    this.#held.get(taskId)?.unfollow();
    this.#held.delete(taskId);
    if (this.#held.size === 0) this.#onEmpty?.();
  }

  /** Resolves when no work is held any more, or after that many milliseconds. */
  async drained(ms: number): Promise<void> {
    if (this.#held.size === 0 || ms <= 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await withTimeLimit(this.#deps, ms, empty).catch(() => undefined);
  }
}

function isNewer(one: EventId | null, other: EventId | null): boolean {
  return one !== null && (other === null || (compareEventIds(one, other) ?? 1) > 0);
}
