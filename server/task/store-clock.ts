import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';

/**
 * The store's time as this node reckons it: its own monotonic time plus an offset that is measured anew from time to time. So a date of this
 * machine that is set moves nothing of it.
 */
export interface StoreClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Measures the offset. */
  synchronize(): Promise<void>;
}

/**
 * Reckons with the middle of the round trip: wrong by half of it at most. A round trip that is too slow to tell a new offset from the old one
 * changes nothing, so that a busy or frozen moment does not shift the time.
 */
export function storeClock(store: Pick<Store, 'now'>, clock: Clock): StoreClock {
  // Nobody decides by it before the first measurement; until then this machine's date will do.
  const guessedMs = clock.now() - monotonicMs(clock);
  let offsetMs: number | undefined;
  return {
    now: () => Math.round(monotonicMs(clock) + (offsetMs ?? guessedMs)),
    async synchronize() {
      const asked = monotonicMs(clock);
      const storeTime = await store.now();
      const answered = monotonicMs(clock);
      const measured = storeTime - (asked + answered) / 2;
      if (offsetMs === undefined || Math.abs(measured - offsetMs) > (answered - asked) / 2) offsetMs = measured;
    },
  };
}
