import type { SeededRandom } from '../support/seeded-random.ts';
import { isStart, type Decision, type ValueStep, type WorkStep } from './plan.ts';

/** How many of the histories with parts have work that writes values, which are replaced. */
const VALUES_SHARE = 0.6;

/** Has some of the work write values beside its parts. */
export function replaceValues(random: SeededRandom, decisions: readonly Decision[]): Decision[] {
  if (!random.odds(VALUES_SHARE)) return [...decisions];
  const drawn = new Map<number, readonly { readonly at: number; readonly step: WorkStep }[]>();
  return decisions.map((decision) => {
    if (!isStart(decision)) return decision;
    const { task, work } = decision;
    // A request that is repeated has the same content.
    const values =
      drawn.get(task) ??
      Array.from({ length: random.pick([1, 1, 2]) }, () => ({
        at: random.below(work.steps.length + 1),
        step: { value: drawValue(random) },
      }));
    drawn.set(task, values);
    const steps = values.reduce((all, { at, step }) => all.toSpliced(at, 0, step), [...work.steps]);
    return { ...decision, work: { ...work, steps } };
  });
}

function drawValue(random: SeededRandom): ValueStep {
  return {
    values: random.pick([1, 5, 20, 60]),
    // Longer ones have no room in a fact, of which some hosts have short ones.
    size: random.pick([1, 4, 40, 1_000, 17_000]),
    restMs: random.pick([0, 10, 60, 300]),
    isAwaited: random.odds(0.6),
    ends: random.odds(0.75),
    ...(random.odds(0.5) && { onRerun: 'continue' as const }),
  };
}
