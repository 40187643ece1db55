import type { Clock } from '../../server/ports/index.ts';

/**
 * A clock that a test moves. A timer never rings early, and as late as the test likes, as those of a busy or sleeping device do. Only a
 * timer of no delay rings by itself, in the next turn of the event loop: sockets need it.
 */
export interface FakeClock extends Clock {
  /** Moves time on and rings what is due, in order and each at its time. */
  advance(ms: number): void;
  /** Rings the oldest timer that was set to one of these waits, whichever else is due; throws where there is none. */
  ring(wanted: readonly number[]): void;
  /** How long each timer that waits was set to wait, the oldest first. */
  readonly armed: readonly number[];
  /** Milliseconds to the timer that is due next. */
  readonly next: number | undefined;
}

interface Timer {
  readonly at: number;
  readonly ms: number;
  readonly fn: () => void;
}

/** A clock that stands still at `startsAt`, in milliseconds since 1970, until it is told to go on. */
export function fakeClock(startsAt = 1_800_000_000_000): FakeClock {
  const timers = new Map<number, Timer>();
  let now = startsAt;
  let made = 0;

  function ringNow(id: number, { at, fn }: Timer): void {
    timers.delete(id);
    now = Math.max(now, at);
    fn();
  }
  const waits = (): number[] => [...timers.values()].map(({ ms }) => ms);
  const soonest = (): [number, Timer] | undefined => [...timers].sort(([a, one], [b, other]) => one.at - other.at || a - b)[0];

  return {
    now: () => now,
    setTimeout(fn, ms) {
      const id = (made += 1);
      timers.set(id, { at: now + ms, ms, fn });
      if (ms <= 0)
        setImmediate(() => {
          if (timers.delete(id)) fn();
        });
      return id;
    },
    // Ids are the numbers that setTimeout gave.
    clearTimeout: (id) => void timers.delete(id as number),
    advance(ms) {
      const until = now + ms;
      for (let due = soonest(); due && due[1].at <= until; due = soonest()) ringNow(...due);
      now = until;
    },
    ring(wanted) {
      const timer = [...timers].find(([, { ms }]) => wanted.includes(ms));
      if (!timer) throw new Error(`No timer of ${wanted.join(' or ')} ms is armed, only ${waits().join(', ') || 'none'}.`);
      ringNow(...timer);
    },
    get armed() {
      return waits();
    },
    get next() {
      const due = soonest();
      return due && due[1].at - now;
    },
  };
}
