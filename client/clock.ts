/** Time, as everything in this room sees it. Fits XState's `clock` option, and XState's `SimulatedClock` fits here. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

/** The machine's own clock. Its timers keep a Node process alive: a client that waits for its next try has work to do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/** Where jitter and ids come from. */
export interface Chance {
  /** At least 0, below 1. */
  fraction(): number;
}

/** The machine's own randomness. Ids made from it are told apart by 130 bits; they are no secrets. */
export const systemChance: Chance = { fraction: () => Math.random() };

/** An id that no other client makes: 26 letters and digits. */
export function freshId(chance: Chance): string {
  let id = '';
  for (let i = 0; i < 26; i += 1) id += Math.floor(chance.fraction() * 32).toString(32);
  return id;
}
