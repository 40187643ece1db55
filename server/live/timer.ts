import type { Clock } from '../ports/clock.ts';

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/**
 * Calls back once, in a later turn, when the clock shows `dueAt` (milliseconds since the epoch): never before, although a timer may fire a
 * little early, and however far away it is; at once where `dueAt` is no number. Gives the function that calls it off.
 */
export function timerAt(clock: Clock, dueAt: number, callback: () => void): () => void {
  const arm = (): unknown => clock.setTimeout(check, Math.min(Math.max(0, dueAt - clock.now() || 0), DELAY_MS_MAX));
  const check = (): void => {
    // Asked this way round, NaN is due: else it would be armed again every millisecond, for ever.
    if (clock.now() < dueAt) timer = arm();
    else callback();
  };
  let timer = arm();
  return () => clock.clearTimeout(timer);
}
