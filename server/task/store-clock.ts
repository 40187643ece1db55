import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';

/** The store's time as this node reckons it: its own clock plus an offset that is measured anew from time to time. */
export interface StoreClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Measures the offset. */
  synchronize(): Promise<void>;
}

/** Reckons with the middle of the round trip: wrong by half of it at most. */
export function storeClock(store: Pick<Store, 'now'>, clock: Clock): StoreClock {
  let offsetMs = 0;
  return {
    now: () => Math.round(clock.now() + offsetMs),
    async synchronize() {
      const asked = clock.now();
      const told = await store.now();
      offsetMs = told - (asked + clock.now()) / 2;
    },
  };
}
