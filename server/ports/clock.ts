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
