import { compareEventIds, type EventId } from '../../machines/index.ts';
import type { Clock } from '../ports/clock.ts';
import { within } from './time-limit.ts';

interface Holding {
  readonly attempt: number;
  /** The newest fact of its log that was seen here. */
  seen: EventId | null;
  unfollow(): void;
}

/** What the list of held work needs. */
export interface HoldingsContext {
  readonly clock: Clock;
  /** Calls back after commits of a task, whichever node made them; gives the way to stop. */
  follow(taskId: string, onCommit: () => void): () => void;
  /** Called after a commit of a task whose work is held here. */
  onCommit(taskId: string): void;
}

/** The attempts whose work runs on this node. While one is held, its task's log is followed, so that answers and cancels reach the work. */
export class Holdings {
  readonly #context: HoldingsContext;
  readonly #held = new Map<string, Holding>();
  #onEmpty: (() => void) | undefined;

  constructor(context: HoldingsContext) {
    this.#context = context;
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
    this.#held.set(taskId, { attempt, seen: null, unfollow: this.#context.follow(taskId, () => this.#context.onCommit(taskId)) });
  }

  /** Notes the newest fact of a held task's log. False where that shows that the store has lost facts which were seen here. */
  sees(taskId: string, newest: EventId | null): boolean {
    const holding = this.#held.get(taskId);
    if (!holding) return true;
    const { seen } = holding;
    holding.seen = newest;
    return seen === newest || (newest === null ? seen === null : (compareEventIds(newest, seen ?? '0-0') ?? 1) > 0);
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
    await within(this.#context, ms, empty).catch(() => undefined);
  }
}
