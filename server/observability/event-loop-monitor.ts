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
  readonly #onLook: ((lateMs: number) => void) | undefined;
  #timer: unknown;
  #dueAt = 0;
  #looks = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** `onLook` is told, look by look, how late it came. */
  constructor(clock: Clock, onLook?: (lateMs: number) => void) {
    this.#clock = clock;
    this.#onLook = onLook;
  }

  /** Measures from now on. Does nothing the second time. */
  start(): void {
    if (this.#timer === undefined) this.#arm();
  }

  /** By how much its own timer is overdue now. */
  get overdueMs(): number {
    return this.#timer === undefined ? 0 : Math.max(0, monotonicMs(this.#clock) - this.#dueAt);
  }

  /** What was measured since the last call; zeros where that was nothing. One that is overdue now counts as late as it is. */
  take(): EventLoopDelay {
    const { overdueMs } = this;
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
      this.#onLook?.(lateMs);
      this.#arm();
    }, LOOK_MS);
  }
}
