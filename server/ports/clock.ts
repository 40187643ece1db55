import type { Clock } from '../../machines/index.ts';

export type { Clock };

/** The machine's own clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms).unref(),
  clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
};

/** Milliseconds that only ever grow, by which a wait is measured: no date that is set moves them. Only the difference of two means something. */
export function monotonicMs(clock: Clock): number {
  return clock.monotonic?.() ?? clock.now();
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
