import { fakeClock, type FakeClock } from './fake-clock.ts';

/** A clock whose date somebody sets, while its time goes on evenly: timers keep to that. */
export interface LeapingClock extends FakeClock {
  /** Sets the date that many milliseconds forward, or back. */
  leap(ms: number): void;
}

/** Makes one; see `fakeClock`. */
export function leapingClock(): LeapingClock {
  const even = fakeClock();
  let offset = 0;
  return {
    ...even,
    get armed() {
      return even.armed;
    },
    get next() {
      return even.next;
    },
    now: () => even.now() + offset,
    // Begins elsewhere, as those of machines do: whoever mixes the two is far off.
    monotonic: () => even.now() - 1_700_000_000_000,
    leap: (ms) => void (offset += ms),
  };
}
