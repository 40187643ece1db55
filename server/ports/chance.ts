import { randomBytes } from 'node:crypto';

/** Where ids and jitter come from. */
export interface Chance {
  /** That many random hex digits. */
  hex(digits: number): string;
  /** At least 0, below 1. */
  fraction(): number;
}

/** The system's own randomness. */
export const systemChance: Chance = {
  hex: (digits) =>
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  fraction: () => Math.random(),
};
