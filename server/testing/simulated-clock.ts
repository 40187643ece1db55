import type { Clock } from '../index.ts';

/** A clock that stands still until a test moves it. */
export interface SimulatedClock extends Clock {
  /**
   * Moves time on, in milliseconds, and rings what is due: in order, each timer at its time, and what it begins goes on before the next one rings.
   * Resolves when all that needs no more time has happened. 0 waits for just that.
   */
  advance(ms: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** Turns of the event loop that all has to happen in which needs no time: one, and some for what begins in it. */
const SETTLING_TURNS = 4;

/** A clock that stands at `startsAt`, in milliseconds since 1970. Defaults to a day of 2027. */
export function simulatedClock(startsAt = 1_800_000_000_000): SimulatedClock {
  const timers = new Map<number, Timer>();
  let now = startsAt;
  let made = 0;

  const soonest = (): readonly [number, Timer] | undefined => {
    let first: readonly [number, Timer] | undefined;
    for (const timer of timers) if (!first || timer[1].at < first[1].at) first = timer;
    return first;
  };
  const ring = (id: number, { fn }: Timer): void => {
    if (timers.delete(id)) fn();
  };
  async function settle(turnsMax = SETTLING_TURNS): Promise<void> {
    for (let turns = 0; turns < turnsMax; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  return {
    now: () => now,
    monotonic: () => now,
    setTimeout(fn, ms) {
      const id = (made += 1);
      const timer = { at: now + Math.max(0, ms), fn };
      timers.set(id, timer);
      // What is to be done in the next turn needs no time.
      if (ms <= 0) setImmediate(() => ring(id, timer));
      return id;
    },
    // Ids are the numbers that setTimeout gave.
    clearTimeout: (id) => void timers.delete(id as number),
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let due = soonest(); due && due[1].at <= until; due = soonest()) {
        now = Math.max(now, due[1].at);
        ring(...due);
        await settle(1);
      }
      now = until;
      await settle();
    },
  };
}
