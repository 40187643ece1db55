import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { LiveOptions } from './options.ts';
import { timerQueue, type Timed } from './timer-queue.ts';
import type { Viewer } from './viewer.ts';

/** What a heartbeat monitor works with. */
export interface HeartbeatMonitorDeps {
  readonly clock: Clock;
  readonly options: Pick<LiveOptions, 'heartbeatMs' | 'sseHeartbeatMs' | 'stalledMs'>;
}

/** Told by a heartbeat monitor. */
export interface HeartbeatListener {
  /** Whose connection it is about. */
  readonly viewer: Viewer;
  /** A heartbeat was sent. */
  beaten(): void;
  /** The connection takes nothing any more, and is to be broken. */
  cut(): void;
}

/** A standstill is looked for that many times within its limit, so that it is noticed soon after. */
const CHECKS = 4;

/** What was seen of a connection that has not taken all. */
interface Seen {
  readonly taken: number;
  /** Since when it has taken no more. */
  readonly movedAt: number;
  /** When it is looked at again. */
  readonly lookAt: number;
}

/** Keeps an idle connection warm, and notices one that takes nothing any more. */
export class HeartbeatMonitor implements Timed {
  at = 0;
  place = -1;
  readonly #deps: HeartbeatMonitorDeps;
  readonly #listener: HeartbeatListener;
  #sentAt: number;
  #seen: Seen | undefined;

  constructor(deps: HeartbeatMonitorDeps, listener: HeartbeatListener) {
    this.#deps = deps;
    this.#listener = listener;
    this.#sentAt = monotonicMs(deps.clock);
    this.#wait();
  }

  /** Something was sent. */
  sent(): void {
    this.#sentAt = monotonicMs(this.#deps.clock);
    const { viewer } = this.#listener;
    if (this.#seen || viewer.pendingBytes() === 0) return;
    this.#see(viewer.takenBytes(), this.#sentAt);
    this.#wait();
  }

  /** Frees its timer. */
  stop(): void {
    timerQueue(this.#deps.clock).clear(this);
  }

  /** It is time for a heartbeat, or to look whether the connection stands still. */
  ring(): void {
    if (this.#isStalled()) return this.#listener.cut();
    if (this.#restMs() <= 0) this.#beat();
    this.#wait();
  }

  #wait(): void {
    const restMs = this.#restMs();
    const { clock } = this.#deps;
    timerQueue(clock).set(this, this.#seen ? Math.min(restMs, this.#seen.lookAt - monotonicMs(clock)) : restMs);
  }

  /** Until the next heartbeat. Asked the same way for the timer and when it is over: of two sums of fractions, one may be due and the other not. */
  #restMs(): number {
    const { clock, options } = this.#deps;
    const heartbeatMs = this.#listener.viewer.transport === 'sse' ? options.sseHeartbeatMs : options.heartbeatMs;
    return this.#sentAt + heartbeatMs - monotonicMs(clock);
  }

  #beat(): void {
    const { viewer } = this.#listener;
    // A client that has not taken what is there needs no sign of life on top of it; what others send over a shared connection is none.
    if ((viewer.sharing || viewer.pendingBytes() === 0) && viewer.heartbeat()) this.#listener.beaten();
    this.sent();
  }

  #see(taken: number, movedAt: number): void {
    const { clock, options } = this.#deps;
    this.#seen = { taken, movedAt, lookAt: monotonicMs(clock) + Math.ceil(options.stalledMs / CHECKS) };
  }

  /** Looks where it is time to. */
  #isStalled(): boolean {
    const seen = this.#seen;
    const now = monotonicMs(this.#deps.clock);
    if (!seen || seen.lookAt > now) return false;
    this.#seen = undefined;
    const { viewer } = this.#listener;
    if (viewer.pendingBytes() === 0) return false;
    const taken = viewer.takenBytes();
    const movedAt = taken > seen.taken ? now : seen.movedAt;
    if (now - movedAt >= this.#deps.options.stalledMs) return true;
    this.#see(taken, movedAt);
    return false;
  }
}
