import { randomBytes } from 'node:crypto';
import type { Chance } from '../../machines/index.ts';

/** Where jitter and ids come from. */
export interface ServerChance extends Chance {
  /** That many random hex digits. */
  hex(digits: number): string;
}

/** The system's own randomness. */
export const systemChance: ServerChance = {
  hex: (digits) =>
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  fraction: () => Math.random(),
};
