import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision } from './plan.ts';

/** How many of all histories have a store that loses what it acknowledged. */
export const RESTORE_SHARE = 0.1;

/** Draws when a task goes back to what the store had earlier, and how far. */
export function drawRestores(dice: SeededRandom, tasks: number): readonly Decision[] {
  return Array.from({ length: dice.pick([1, 1, 2]) }, (): Decision => {
    const commits = dice.pick([1, 2, 3, 5, 12]);
    return { kind: 'restore', at: 1_000 + dice.below(TROUBLE_MS - 6_000), task: dice.below(tasks), commits, ms: dice.between(300, 1_500) };
  });
}
