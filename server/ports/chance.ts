import { randomFillSync } from 'node:crypto';
import type { Chance } from '../../machines/index.ts';

/** Where jitter and ids come from. */
export interface ServerChance extends Chance {
  /** That many random hex digits. */
  hex(digits: number): string;
}

/** Random bytes that nobody was given yet: to ask the system for a few takes as long as for many. */
const pool = Buffer.alloc(4096);
let given = pool.length;

/** The system's own randomness. */
export const systemChance: ServerChance = {
  hex(digits) {
    const bytes = Math.ceil(digits / 2);
    if (bytes > pool.length) return randomFillSync(Buffer.alloc(bytes)).toString('hex').slice(0, digits);
    if (given + bytes > pool.length) {
      randomFillSync(pool);
      given = 0;
    }
    given += bytes;
    return pool.toString('hex', given - bytes, given).slice(0, digits);
  },
  fraction: () => Math.random(),
};
