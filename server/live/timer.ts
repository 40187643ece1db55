import type { Clock } from '../ports/clock.ts';

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/**
 * Calls back once, in a later turn, when the clock shows `dueAt` (milliseconds since the epoch): never before, although a timer may fire a
 * little early, and however far away it is. Gives the function that calls it off.
 */
export function timerAt(clock: Clock, dueAt: number, callback: () => void): () => void {
  const arm = (): unknown => clock.setTimeout(check, Math.min(Math.max(0, dueAt - clock.now()), DELAY_MS_MAX));
  const check = (): void => {
    if (clock.now() >= dueAt) callback();
    else timer = arm();
  };
  let timer = arm();
  return () => clock.clearTimeout(timer);
}
