import { monotonicMs, type Clock } from '../ports/clock.ts';

/** How late timers of this process were, in milliseconds. */
export interface EventLoopDelay {
  readonly meanMs: number;
  readonly maxMs: number;
}

/** Between two looks, in milliseconds. */
const LOOK_MS = 50;

/** Measures how long this process keeps its own timers waiting: by one of its own, and how much later than asked for it comes. */
export class EventLoopMonitor {
  readonly #clock: Clock;
  #timer: unknown;
  #dueAt = 0;
  #looks = 0;
  #sumMs = 0;
  #maxMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Measures from now on. Does nothing the second time. */
  start(): void {
    if (this.#timer === undefined) this.#arm();
  }

  /** What was measured since the last call; zeros where that was nothing. One that is overdue now counts as late as it is. */
  take(): EventLoopDelay {
    const overdueMs = this.#timer === undefined ? 0 : Math.max(0, monotonicMs(this.#clock) - this.#dueAt);
    const taken = { meanMs: this.#looks === 0 ? overdueMs : this.#sumMs / this.#looks, maxMs: Math.max(this.#maxMs, overdueMs) };
    this.#looks = this.#sumMs = this.#maxMs = 0;
    return taken;
  }

  /** Measures nothing any more. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#dueAt = monotonicMs(this.#clock) + LOOK_MS;
    this.#timer = this.#clock.setTimeout(() => {
      const lateMs = Math.max(0, monotonicMs(this.#clock) - this.#dueAt);
      this.#looks += 1;
      this.#sumMs += lateMs;
      this.#maxMs = Math.max(this.#maxMs, lateMs);
      this.#arm();
    }, LOOK_MS);
  }
}
