import type { Clock } from '../../server/ports/index.ts';

/** A clock that a test moves by hand. A timer of no delay fires in the next turn, as sockets need it; all others wait for `advance`. */
export interface HandClock extends Clock {
  /** Moves time on and rings what is due, in order. */
  advance(ms: number): void;
  /** Timers that wait. */
  readonly waiting: number;
}

export function handClock(startsAt = 1_800_000_000_000): HandClock {
  let now = startsAt;
  let ids = 0;
  const timers = new Map<number, { readonly at: number; readonly fn: () => void }>();

  function nextDue(until: number): [number, { readonly at: number; readonly fn: () => void }] | undefined {
    return [...timers].filter(([, { at }]) => at <= until).sort(([a, one], [b, other]) => one.at - other.at || a - b)[0];
  }

  return {
    now: () => now,
    get waiting() {
      return timers.size;
    },
    setTimeout(fn, ms) {
      ids += 1;
      const id = ids;
      timers.set(id, { at: now + ms, fn });
      if (ms <= 0)
        setImmediate(() => {
          if (timers.delete(id)) fn();
        });
      return id;
    },
    clearTimeout(id) {
      timers.delete(id as number);
    },
    advance(ms) {
      const until = now + ms;
      for (let due = nextDue(until); due; due = nextDue(until)) {
        const [id, { at, fn }] = due;
        timers.delete(id);
        now = Math.max(now, at);
        fn();
      }
      now = until;
    },
  };
}
