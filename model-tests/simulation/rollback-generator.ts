import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision } from './plan.ts';

/** How many of all histories have a store that loses what it acknowledged. */
export const ROLLBACK_SHARE = 0.1;

/** Draws when a task goes back to what the store had earlier, and how far. */
export function generateRollbacks(random: SeededRandom, tasks: number): readonly Decision[] {
  return Array.from({ length: random.pick([1, 1, 2]) }, (): Decision => {
    const commits = random.pick([1, 2, 3, 5, 12]);
    return {
      kind: 'restore',
      at: 1_000 + random.below(TROUBLE_MS - 6_000),
      task: random.below(tasks),
      commits,
      ms: random.between(300, 1_500),
    };
  });
}
