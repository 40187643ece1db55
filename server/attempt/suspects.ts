import { monotonicTime, type Clock } from '../ports/clock.ts';
import type { Suspects } from './reconcile-step.ts';

/** What the turn of suspects works with. */
export interface SuspectTurnDeps {
  readonly clock: Clock;
  /** A suspect that ran for so long did not crash its process at once: the next may begin. */
  readonly turnMs: number;
}

/** Whose turn it is on this node, of the work whose last run crashed its process: one at a time, so that poison takes no other with it. */
export class SuspectTurn implements Suspects {
  readonly #deps: SuspectTurnDeps;
  #taskId: string | undefined;
  #since = 0;

  constructor(deps: SuspectTurnDeps) {
    this.#deps = deps;
  }

  take(taskId: string): boolean {
    const now = monotonicTime(this.#deps.clock);
    if (this.#taskId === taskId) return true;
    if (this.#taskId !== undefined && now - this.#since < this.#deps.turnMs) return false;
    this.#taskId = taskId;
    this.#since = now;
    return true;
  }

  free(taskId: string): void {
    if (this.#taskId === taskId) this.#taskId = undefined;
  }
}
