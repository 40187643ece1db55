import { monotonicMs, type Clock } from '../ports/clock.ts';

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/**
 * Calls back once, in a later turn, after that many milliseconds of monotonic time: never before, although a timer may fire a little early,
 * and however many they are; at once where `ms` is no number. Gives the function that calls it off.
 */
export function timerAfter(clock: Clock, ms: number, callback: () => void): () => void {
  const dueAt = monotonicMs(clock) + ms;
  // In whole milliseconds, as timers count: what is left of two sums of fractions may be too little for any time to pass.
  const arm = (leftMs: number): unknown => clock.setTimeout(check, Math.min(Math.max(0, Math.ceil(leftMs) || 0), DELAY_MS_MAX));
  const check = (): void => {
    const leftMs = dueAt - monotonicMs(clock);
    // Asked this way round, NaN is due: else it would be armed again every millisecond, for ever.
    if (leftMs > 0) timer = arm(leftMs);
    else callback();
  };
  let timer = arm(ms);
  return () => clock.clearTimeout(timer);
}

/**
 * The same for a date, in milliseconds since the epoch, at which somebody's credentials end. What is left until then is measured once, now: a
 * date of this machine that is set afterwards brings the end neither nearer nor farther.
 */
export function timerAt(clock: Clock, date: number, callback: () => void): () => void {
  return timerAfter(clock, date - clock.now(), callback);
}
