/** Chance of one part of the world: the same seed and name give the same run of rolls, whatever other parts roll. */
export interface Dice {
  /** At least 0, below 1. */
  fraction(): number;
  /** A whole number, at least 0, below `limit`. */
  below(limit: number): number;
  /** A whole number between two others, both included. */
  between(least: number, most: number): number;
  /** True that often. */
  odds(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** That many hex digits. */
  hex(digits: number): string;
}

/** A 32-bit hash (FNV-1a) of a text, going on from another one. */
export function hashOf(text: string, from = 0x811c9dc5): number {
  let hash = from;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Dice for one part of the world: a mulberry32 generator. */
export function diceOf(seed: number, name: string): Dice {
  let state = hashOf(name, hashOf(`${seed}/`));
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    between: (least, most) => least + below(most - least + 1),
    odds: (share) => fraction() < share,
    pick(list) {
      const picked = list[below(list.length)];
      if (picked === undefined) throw new Error('There is nothing to pick from.');
      return picked;
    },
    hex(digits) {
      let text = '';
      for (let i = 0; i < digits; i += 1) text += below(16).toString(16);
      return text;
    },
  };
}
