import type { SeededRandom } from '../support/seeded-random.ts';
import type { Habit, WorkPlan, WorkStep } from './plan.ts';

/** Draws how somebody who observes behaves. */
export function generateHabit(random: SeededRandom): Habit {
  return {
    slowMs: random.pick([0, 0, 0, 50, 700]),
    watches: random.pick(['facts', 'facts', 'both', 'snapshots']),
    ...(random.odds(0.2) && { leavesAfter: random.between(1, 6) }),
  };
}

/** Draws what a task does. */
export function generateWork(random: SeededRandom): WorkPlan {
  const steps = Array.from({ length: random.pick([2, 5, 9, 14, 25]) }, (): WorkStep => {
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
        return { say: 'kept' };
      case 3:
      case 4:
        return { say: 'loose' };
      case 5:
        return { progress: random.below(101) };
      case 6:
      case 7:
        return { rest: random.pick([1, 30, 400, 2_000]) };
      case 8:
        return { ask: random.odds(0.4) ? { expiresInMs: random.between(100, 6_000) } : {} };
      default:
        return random.odds(0.3) ? { askBoth: true } : { say: 'kept' };
    }
  });
  const end: WorkStep[] = random.odds(0.15) ? [{ fail: 'ON_PURPOSE' }] : [];
  return { steps: [...steps, ...end], repeatable: random.odds(0.75) };
}
