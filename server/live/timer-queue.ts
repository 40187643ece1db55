import { monotonicMs, type Clock } from '../ports/clock.ts';
import { MinHeap, type HeapItem } from '../ports/min-heap.ts';
import { delayOf } from './timer.ts';

/** Something that is rung when its time has come. It is its own place in the queue: a timer of its own costs more than all else of an idle viewer. */
export interface Timed extends HeapItem {
  /** Its time has come; it waits for nothing any more, and may be set again. */
  ring(): void;
}

/**
 * Calls back once, at a date in milliseconds since the epoch, at which somebody's credentials end; at once where that is no number. What is left until then is
 * measured once, now: a date of this machine that is set afterwards brings the end neither nearer nor farther. Gives the function that calls it off.
 */
export function timerAt(clock: Clock, date: number, callback: () => void): () => void {
  const timed: Timed = { at: 0, place: -1, ring: callback };
  const queue = timerQueue(clock);
  queue.set(timed, date - clock.now());
  return () => queue.clear(timed);
}

const queues = new WeakMap<Clock, TimerQueue>();

/** The queue of a clock, the same for everybody. */
export function timerQueue(clock: Clock): TimerQueue {
  const known = queues.get(clock);
  if (known) return known;
  const queue = new TimerQueue(clock);
  queues.set(clock, queue);
  return queue;
}

/**
 * The waits of all connections of a clock, of which the soonest alone is armed. As `timerAfter`, it rings once, in a later turn, by monotonic time, and never too
 * early. One that throws delays the others by a turn.
 */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #waiting = new MinHeap<Timed>();
  #armed: { readonly at: number; readonly timer: unknown } | undefined;
  #isRinging = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rings it after that many milliseconds, and no more at the time that it waited for; at once where `ms` is no number. */
  set(timed: Timed, ms: number): void {
    if (timed.place >= 0) this.#waiting.remove(timed);
    timed.at = monotonicMs(this.#clock) + (ms > 0 ? ms : 0);
    this.#waiting.push(timed);
    this.#arm();
  }

  /** It waits for nothing any more. */
  clear(timed: Timed): void {
    if (timed.place < 0) return;
    this.#waiting.remove(timed);
    this.#arm();
  }

  #arm(): void {
    const soonest = this.#waiting.first?.at;
    if (this.#isRinging || this.#armed?.at === soonest) return;
    if (this.#armed) this.#clock.clearTimeout(this.#armed.timer);
    this.#armed =
      soonest === undefined
        ? undefined
        : { at: soonest, timer: this.#clock.setTimeout(() => this.#ring(), delayOf(soonest - monotonicMs(this.#clock))) };
  }

  #ring(): void {
    const now = monotonicMs(this.#clock);
    this.#armed = undefined;
    this.#isRinging = true;
    try {
      // What is due since it was rung has its turn later.
      for (let left = this.#waiting.size; left > 0; left -= 1) {
        const { first } = this.#waiting;
        if (!first || first.at > now) break;
        this.#waiting.remove(first);
        first.ring();
      }
    } finally {
      this.#isRinging = false;
      this.#arm();
    }
  }
}
