/** Chance that can be had again: one seed, one run of rolls. */
export interface Dice {
  /** A whole number, at least 0, below `limit`. */
  below(limit: number): number;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
}

/** Makes dice from a seed: a linear congruential generator of 48 bits, of which the upper 32 are used. */
export function seededDice(seed: number): Dice {
  let state = (BigInt(seed) ^ 0x5deece66dn) & 0xffffffffffffn;
  const below = (limit: number): number => {
    state = (state * 0x5deece66dn + 0xbn) & 0xffffffffffffn;
    return Math.floor((Number(state >> 16n) / 2 ** 32) * limit);
  };
  return {
    below,
    pick(list) {
      const picked = list[below(list.length)];
      if (picked === undefined) throw new Error('There is nothing to pick from.');
      return picked;
    },
  };
}
