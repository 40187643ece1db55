import type { Clock } from '../../machines/index.ts';

export type { Clock };

/** The machine's own clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms).unref(),
  clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
};

/** What clocks without monotonic time said last, and how far they were set back in all. */
const setBacks = new WeakMap<Clock, { last: number; backMs: number }>();

/**
 * Milliseconds that only ever grow, by which a wait is measured: no date that is set moves them. Only the difference of two means something. A clock
 * that has only its date is believed as far as that grows: what it was set back by counts for nothing, and a wait takes at most twice its time.
 */
export function monotonicMs(clock: Clock): number {
  if (clock.monotonic) return clock.monotonic();
  const now = clock.now();
  const seen = setBacks.get(clock) ?? { last: now, backMs: 0 };
  seen.backMs += Math.max(0, seen.last - now);
  seen.last = now;
  setBacks.set(clock, seen);
  return now + seen.backMs;
}

/**
 * The same clock with a date that never goes back. Where the machine's is set back, this one goes on at half its pace until that has caught up:
 * what was to wait for a minute waits for two, and not until the hour comes round again. Set forward, it follows at once. For a store whose
 * clock is its process's own.
 */
export function steadyClock(clock: Clock): Clock {
  let date = clock.now();
  let at = monotonicMs(clock);
  return {
    now() {
      const elapsedMs = monotonicMs(clock) - at;
      at += elapsedMs;
      // A clock without monotonic time is believed: nothing tells its wait from its jump.
      date = clock.monotonic ? Math.max(clock.now(), date + elapsedMs / 2) : clock.now();
      return Math.round(date);
    },
    monotonic: () => monotonicMs(clock),
    setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
    clearTimeout: (id) => clock.clearTimeout(id),
  };
}
