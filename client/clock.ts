import type { Chance, Clock } from '../machines/index.ts';

export type { Chance, Clock };

/** A longer timer fires at once on most platforms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The machine's own clock. Its timers keep a Node process alive: a client that waits for its next try has work to do. None is longer than 24 days:
 * whoever asks for more, or for ever, gets that.
 */
export const platformClock: Clock = {
  now: () => Date.now(),
  // Some have none: then a date that is set is an end that comes early or late.
  monotonic: () => (globalThis as { performance?: { now(): number } }).performance?.now() ?? Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, Math.min(ms, LONGEST_TIMER_MS)),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/** In milliseconds since whenever: what no date that is set changes, where the platform has such a clock. */
export const monotonicNow = (clock: Clock): number => clock.monotonic?.() ?? clock.now();

/** The machine's own randomness. Ids made from it are told apart by 130 bits; they are no secrets. */
export const platformChance: Chance = { fraction: () => Math.random() };

/** An id that no other client makes: 26 letters and digits. */
export function freshId(chance: Chance): string {
  let id = '';
  for (let i = 0; i < 26; i += 1) id += Math.floor(chance.fraction() * 32).toString(32);
  return id;
}
