import type { Clock } from '../ports/clock.ts';

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/**
 * Rings once, in a later turn, when the clock shows `dueAt` (milliseconds since the epoch): never before, although a timer may fire a
 * little early, and however far away it is. Gives the function that calls it off.
 */
export function timerAt(clock: Clock, dueAt: number, ring: () => void): () => void {
  const arm = (): unknown => clock.setTimeout(look, Math.min(Math.max(0, dueAt - clock.now()), DELAY_MS_MAX));
  const look = (): void => {
    if (clock.now() >= dueAt) ring();
    else timer = arm();
  };
  let timer = arm();
  return () => clock.clearTimeout(timer);
}
