import type { Clock } from '../../server/ports/index.ts';

/** A clock whose timers fire only when it is told to advance. */
export function manualClock(start = 1_790_000_000_000): Clock & { advance(ms: number): void } {
  let now = start;
  const timers = new Map<number, { readonly at: number; readonly fn: () => void }>();
  let count = 0;
  return {
    now: () => now,
    setTimeout(fn, ms) {
      timers.set(++count, { at: now + ms, fn });
      return count;
    },
    // Ids are the numbers that setTimeout gave.
    clearTimeout: (id) => void timers.delete(id as number),
    advance(ms) {
      now += ms;
      for (const [id, { at, fn }] of [...timers]) {
        if (at > now || !timers.delete(id)) continue;
        fn();
      }
    },
  };
}
