import { monotonicMs, type Clock } from '../ports/clock.ts';

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** In whole milliseconds, as timers count: what is left of two sums of fractions may be too little for any time to pass. */
export function delayOf(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms) || 0), DELAY_MS_MAX);
}

/**
 * Calls back once, in a later turn, after that many milliseconds of monotonic time: never before, although a timer may fire a little early,
 * and however many they are; at once where `ms` is no number. Gives the function that calls it off.
 */
export function timerAfter(clock: Clock, ms: number, callback: () => void): () => void {
  const dueAt = monotonicMs(clock) + ms;
  // One function, as each of the many viewers has such timers. Asked this way round, NaN is due: else it would be armed again every millisecond, for ever.
  const check = (): void => {
    const leftMs = dueAt - monotonicMs(clock);
    if (leftMs > 0) timer = clock.setTimeout(check, delayOf(leftMs));
    else callback();
  };
  let timer = clock.setTimeout(check, delayOf(ms));
  return () => clock.clearTimeout(timer);
}
