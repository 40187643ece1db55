import type { SeededRandom } from '../support/seeded-random.ts';
import { isStart, TROUBLE_MS, type Decision, type WorkStep } from './plan.ts';

/** How many of all histories have nodes, stores and handlers that are away for longer than a lease. */
export const OUTAGE_SHARE = 0.35;

/** Draws what keeps nodes from their work, or work from its nodes. */
export function generateOutages(random: SeededRandom, nodes: number): readonly Decision[] {
  return Array.from({ length: random.pick([1, 2, 3]) }, (): Decision => {
    const at = 500 + random.below(TROUBLE_MS - 8_000);
    const node = random.below(nodes);
    switch (random.below(6)) {
      case 0:
        return { kind: 'store gone', at, ms: random.pick([3_000, 6_000, 15_000]) };
      case 1:
        return { kind: 'store away', at, node, ms: random.pick([5_000, 9_000, 15_000]) };
      case 2:
        return { kind: 'freeze', at, node, ms: random.pick([4_000, 7_000, 14_000]) };
      case 3:
        return { kind: 'store clock', at, byMs: random.pick([-20_000, -8_000, 8_000, 16_000]) };
      default:
        return { kind: 'close', at, node, backMs: random.below(2_000), drainMs: random.pick([0, 2_000, 9_000]) };
    }
  });
}

/** Has some of the handlers that end their node ask before, and not wait for the answer. */
export function haveSomeAsk(random: SeededRandom, decisions: readonly Decision[]): Decision[] {
  const asks = random.odds(0.5);
  return decisions.map((decision) => {
    if (!isStart(decision) || !asks) return decision;
    const steps = decision.work.steps.map((step) => ('crash' in step ? { ...step, asks } : step));
    return { ...decision, work: { ...decision.work, steps } };
  });
}

/** Adds to what tasks do, to some of them: a loop that is blocked, a handler that ends its node. */
export function worsenWork(random: SeededRandom, decisions: readonly Decision[]): Decision[] {
  const drawn = new Map<number, { readonly at: number; readonly step: WorkStep } | undefined>();
  return decisions.map((decision) => {
    if (!isStart(decision)) return decision;
    const { task, work } = decision;
    // A request that is repeated has the same content.
    if (!drawn.has(task)) drawn.set(task, drawStep(random, work.steps.length));
    const worse = drawn.get(task);
    return worse ? { ...decision, work: { ...work, steps: work.steps.toSpliced(worse.at, 0, worse.step) } } : decision;
  });
}

function drawStep(random: SeededRandom, steps: number): { readonly at: number; readonly step: WorkStep } | undefined {
  const at = random.below(steps + 1);
  switch (random.below(4)) {
    case 0:
      return { at, step: { block: random.pick([2_000, 6_000, 12_000]) } };
    case 1:
      return { at, step: { crash: random.pick([1, 2, 99]) } };
    default:
      return undefined;
  }
}
