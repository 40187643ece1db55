import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { Suspects } from './reconcile-step.ts';

/** What the turn of suspects works with. */
export interface SuspectTurnDeps {
  readonly clock: Clock;
  /** A suspect that ran for so long did not crash its process at once: the next may begin. */
  readonly turnMs: number;
  /** It may be the turn of a task that was refused before; resolves when that has begun or will not. */
  onTurn(taskId: string): Promise<unknown>;
}

/** Tasks that are remembered until it is their turn; the others are found by a later look. */
const WAITING_MAX = 10_000;

/** Whose turn it is on this node, of the work whose last run crashed its process: one at a time, so that poison takes no other with it. */
export class SuspectTurn implements Suspects {
  readonly #deps: SuspectTurnDeps;
  readonly #waiting = new Set<string>();
  #taskId: string | undefined;
  #since = 0;

  constructor(deps: SuspectTurnDeps) {
    this.#deps = deps;
  }

  take(taskId: string): boolean {
    const now = monotonicMs(this.#deps.clock);
    if (this.#taskId === taskId) return true;
    if (this.#taskId !== undefined && now - this.#since < this.#deps.turnMs) {
      if (this.#waiting.size < WAITING_MAX) this.#waiting.add(taskId);
      return false;
    }
    this.#waiting.delete(taskId);
    this.#taskId = taskId;
    this.#since = now;
    return true;
  }

  free(taskId: string): void {
    if (this.#taskId !== taskId) return;
    this.#taskId = undefined;
    this.#next();
  }

  #next(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    void this.#deps.onTurn(next).then(() => {
      // Another node may have it by now.
      if (this.#taskId === undefined) this.#next();
    });
  }
}
