/** Chance that can be had again: the same seed, the same run of rolls. */
export interface SeededRandom {
  /** At least 0, below 1. */
  fraction(): number;
  /** A whole number, at least 0, below `limit`. */
  below(limit: number): number;
  /** A whole number between two others, both included. */
  between(least: number, most: number): number;
  /** True that often: 0.25 is one time in four. */
  odds(share: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** That many hex digits. */
  hex(digits: number): string;
  /** Another run, of this seed and a name, whatever was rolled here. */
  for(name: string): SeededRandom;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A 32-bit hash (FNV-1a) of a text, going on from another one. */
export function hashOf(text: string, from = FNV_OFFSET): number {
  let hash = from;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash >>> 0;
}

/** Chance of a seed, a number or a text. The generator is mulberry32, which needs 32 bits of state and nothing else. */
export function seededRandom(seed: number | string): SeededRandom {
  const begin = typeof seed === 'number' ? seed : hashOf(seed);
  let state = begin;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    between: (least, most) => least + below(most - least + 1),
    odds: (share) => fraction() < share,
    pick(list) {
      const picked = list[below(list.length)];
      if (picked === undefined) throw new RangeError('There is nothing to pick from.');
      return picked;
    },
    hex(digits) {
      let text = '';
      for (let i = 0; i < digits; i += 1) text += below(16).toString(16);
      return text;
    },
    for: (name) => seededRandom(hashOf(name, begin ^ FNV_OFFSET)),
  };
}
