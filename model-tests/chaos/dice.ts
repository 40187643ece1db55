/** Numbers of a seed: the same seed, the same numbers. */
export interface Dice {
  /** From 0 to 1, 1 excluded. */
  fraction(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** True with that probability. */
  luck(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Other numbers, of this seed and a name. */
  for(name: string): Dice;
}

/** Makes dice. The generator is mulberry32, which needs 32 bits of state and nothing else. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(fraction() * (most - least + 1));
  return {
    fraction,
    between,
    luck: (probability) => fraction() < probability,
    pick(from) {
      if (from.length === 0) throw new RangeError('There is nothing to pick from.');
      // The index lies within.
      return from[between(0, from.length - 1)] as (typeof from)[number];
    },
    for: (name) => diceOf([...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), seed ^ 0x811c9dc5)),
  };
}
