import type { SeededRandom } from '../support/seeded-random.ts';
import type { Habit, WorkPlan, WorkStep } from './plan.ts';

/** Draws how somebody who observes behaves. */
export function drawHabit(dice: SeededRandom): Habit {
  return {
    slowMs: dice.pick([0, 0, 0, 50, 700]),
    watches: dice.pick(['facts', 'facts', 'both', 'snapshots']),
    ...(dice.odds(0.2) && { leavesAfter: dice.between(1, 6) }),
  };
}

/** Draws what a task does. */
export function drawWork(dice: SeededRandom): WorkPlan {
  const steps = Array.from({ length: dice.pick([2, 5, 9, 14, 25]) }, (): WorkStep => {
    switch (dice.below(10)) {
      case 0:
      case 1:
      case 2:
        return { say: 'kept' };
      case 3:
      case 4:
        return { say: 'loose' };
      case 5:
        return { progress: dice.below(101) };
      case 6:
      case 7:
        return { rest: dice.pick([1, 30, 400, 2_000]) };
      case 8:
        return { ask: dice.odds(0.4) ? { expiresInMs: dice.between(100, 6_000) } : {} };
      default:
        return dice.odds(0.3) ? { askBoth: true } : { say: 'kept' };
    }
  });
  const end: WorkStep[] = dice.odds(0.15) ? [{ fail: 'ON_PURPOSE' }] : [];
  return { steps: [...steps, ...end], repeatable: dice.odds(0.75) };
}
