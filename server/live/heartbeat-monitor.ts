import { monotonicMs, type Clock } from '../ports/clock.ts';
import { timerAfter } from './timer.ts';
import type { Viewer } from './viewer.ts';

/** What a heartbeat monitor works with. */
export interface HeartbeatMonitorDeps {
  readonly viewer: Viewer;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly stalledMs: number;
  readonly onHeartbeat: () => void;
  readonly onStalled: () => void;
}

/** A standstill is looked for that many times within its limit, so that it is noticed soon after. */
const CHECKS = 4;

/** Keeps an idle connection warm, and notices one that takes nothing any more. */
export class HeartbeatMonitor {
  readonly #deps: HeartbeatMonitorDeps;
  #sentAt: number;
  #cancelBeat: () => void;
  #cancelCheck: (() => void) | undefined;

  constructor(deps: HeartbeatMonitorDeps) {
    this.#deps = deps;
    this.#sentAt = monotonicMs(deps.clock);
    this.#cancelBeat = this.#nextBeat();
  }

  /** Something was sent. */
  sent(): void {
    this.#sentAt = monotonicMs(this.#deps.clock);
    if (!this.#cancelCheck && this.#deps.viewer.pendingBytes() > 0) this.#check(this.#deps.viewer.takenBytes(), this.#sentAt);
  }

  /** Frees its timers. */
  stop(): void {
    this.#cancelBeat();
    this.#cancelCheck?.();
  }

  #nextBeat(): () => void {
    return timerAfter(this.#deps.clock, this.#restMs(), () => this.#beat());
  }

  /** Until the next heartbeat. Asked the same way for the timer and when it is over: of two sums of fractions, one may be due and the other not. */
  #restMs(): number {
    return this.#sentAt + this.#deps.heartbeatMs - monotonicMs(this.#deps.clock);
  }

  #beat(): void {
    const { viewer, onHeartbeat } = this.#deps;
    if (this.#restMs() <= 0) {
      // A client that has not taken what is there needs no sign of life on top of it; what others send over a shared connection is none.
      if ((viewer.sharing || viewer.pendingBytes() === 0) && viewer.heartbeat()) onHeartbeat();
      this.sent();
    }
    this.#cancelBeat = this.#nextBeat();
  }

  #check(taken: number, movedAt: number): void {
    const { clock, viewer, stalledMs, onStalled } = this.#deps;
    this.#cancelCheck = timerAfter(clock, Math.ceil(stalledMs / CHECKS), () => {
      this.#cancelCheck = undefined;
      if (viewer.pendingBytes() === 0) return;
      const takenNow = viewer.takenBytes();
      if (takenNow > taken) this.#check(takenNow, monotonicMs(clock));
      else if (monotonicMs(clock) - movedAt >= stalledMs) onStalled();
      else this.#check(taken, movedAt);
    });
  }
}
