import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { LiveOptions } from './options.ts';
import { timerAfter } from './timer.ts';
import type { Viewer } from './viewer.ts';

/** What a heartbeat monitor works with. */
export interface HeartbeatMonitorDeps {
  readonly viewer: Viewer;
  readonly clock: Clock;
  readonly options: Pick<LiveOptions, 'heartbeatMs' | 'sseHeartbeatMs' | 'stalledMs'>;
}

/** Told by a heartbeat monitor. */
export interface HeartbeatListener {
  /** A heartbeat was sent. */
  beaten(): void;
  /** The connection takes nothing any more, and is to be broken. */
  cut(): void;
}

/** A standstill is looked for that many times within its limit, so that it is noticed soon after. */
const CHECKS = 4;

/** Keeps an idle connection warm, and notices one that takes nothing any more. */
export class HeartbeatMonitor {
  readonly #deps: HeartbeatMonitorDeps;
  readonly #listener: HeartbeatListener;
  #sentAt: number;
  #cancelBeat: () => void;
  #cancelCheck: (() => void) | undefined;

  constructor(deps: HeartbeatMonitorDeps, listener: HeartbeatListener) {
    this.#deps = deps;
    this.#listener = listener;
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
    const { viewer, clock, options } = this.#deps;
    const heartbeatMs = viewer.transport === 'sse' ? options.sseHeartbeatMs : options.heartbeatMs;
    return this.#sentAt + heartbeatMs - monotonicMs(clock);
  }

  #beat(): void {
    const { viewer } = this.#deps;
    if (this.#restMs() <= 0) {
      // A client that has not taken what is there needs no sign of life on top of it; what others send over a shared connection is none.
      if ((viewer.sharing || viewer.pendingBytes() === 0) && viewer.heartbeat()) this.#listener.beaten();
      this.sent();
    }
    this.#cancelBeat = this.#nextBeat();
  }

  #check(taken: number, movedAt: number): void {
    const { clock, viewer, options } = this.#deps;
    const { stalledMs } = options;
    this.#cancelCheck = timerAfter(clock, Math.ceil(stalledMs / CHECKS), () => {
      this.#cancelCheck = undefined;
      if (viewer.pendingBytes() === 0) return;
      const takenNow = viewer.takenBytes();
      if (takenNow > taken) this.#check(takenNow, monotonicMs(clock));
      else if (monotonicMs(clock) - movedAt >= stalledMs) this.#listener.cut();
      else this.#check(taken, movedAt);
    });
  }
}
