import type { SeededRandom } from '../support/seeded-random.ts';
import { isStart, TROUBLE_MS, type Decision, type FaultKind, type FaultPoint, type PartHabit, type Plan, type StreamStep } from './plan.ts';

/** How many of all histories have work that writes parts, and somebody who is shown them. */
export const PARTS_SHARE = 0.25;

/** What may go wrong on the way of bytes, and within how many times it strikes. */
const faults: readonly (readonly [FaultPoint, number, readonly FaultKind[]])[] = [
  ['flush', 40, ['before', 'after', 'after', 'slow', 'late', 'late', 'repeated', 'crash late', 'crash before', 'crash after', 'freeze']],
  [
    'flush',
    40,
    ['before', 'after', 'after', 'slow', 'late', 'late', 'repeated', 'crash late', 'crash late', 'crash before', 'crash after', 'freeze'],
  ],
  ['seal', 5, ['before', 'after', 'slow', 'crash before', 'crash after', 'freeze']],
  ['readPart', 20, ['before', 'slow', 'crash before', 'freeze']],
  ['newest', 8, ['before', 'slow', 'crash after']],
  ['tail.part', 40, ['lost', 'lost', 'late']],
];

/** Has some of the work write parts. */
export function streamParts(random: SeededRandom, decisions: readonly Decision[]): Decision[] {
  const drawn = new Map<number, readonly { readonly at: number; readonly step: { readonly stream: StreamStep } }[]>();
  return decisions.map((decision) => {
    if (!isStart(decision)) return decision;
    const { task, work } = decision;
    // A request that is repeated has the same content.
    const streams =
      drawn.get(task) ??
      Array.from({ length: random.pick([1, 1, 2, 4]) }, () => ({
        at: random.below(work.steps.length + 1),
        step: { stream: drawStream(random) },
      }));
    drawn.set(task, streams);
    const steps = streams.reduce((all, { at, step }) => all.toSpliced(at, 0, step), [...work.steps]);
    return { ...decision, work: { ...work, steps } };
  });
}

/** Draws who is shown parts, how, and what goes wrong with them. */
export function generateParts(random: SeededRandom, tasks: number, mayLose: boolean): readonly Decision[] {
  const viewers = Array.from({ length: random.pick([1, 2, 3]) }, (): Decision => {
    return { kind: 'watch parts', at: random.below(12_000), task: random.below(tasks), habit: drawHabit(random) };
  });
  const struck = Array.from({ length: random.pick([0, 1, 2, 4]) }, (): Decision => {
    const [on, within, kinds] = random.pick(faults);
    return { kind: 'fault', on, nth: random.below(within), what: random.pick(kinds) };
  });
  const lost = Array.from({ length: mayLose && random.odds(0.25) ? random.pick([1, 2]) : 0 }, (): Decision => {
    const at = 1_000 + random.below(TROUBLE_MS - 8_000);
    return { kind: 'lose bytes', at, task: random.below(tasks), flushes: random.pick([1, 1, 2, 5]), ms: random.between(300, 1_500) };
  });
  // What a writer that is gone has sent may come when another writes.
  const late = Array.from({ length: random.odds(0.4) ? 1 : 0 }, (): Decision => {
    return { kind: 'fault', on: 'flush', nth: random.below(20), what: 'crash late' };
  });
  return [...viewers, ...struck, ...lost, ...late];
}

/** Has most clients take parts, and sometimes a store that loses what they were shown. */
export function takeParts(
  random: SeededRandom,
  plan: Pick<Plan, 'clients' | 'decisions'>,
  tasks: number,
  mayLose: boolean,
): Pick<Plan, 'clients' | 'decisions'> {
  const clients = plan.clients.map((client) => {
    const parts = { storedBytesMax: random.pick([32_768, 32_768, 200]), storeMs: random.pick([1_000, 50]), reads: random.odds(0.6) };
    return random.odds(0.8) ? { ...client, parts } : client;
  });
  const lost = Array.from({ length: mayLose && random.odds(0.3) ? random.pick([1, 2, 3]) : 0 }, (): Decision => {
    const at = 500 + random.below(6_000);
    return { kind: 'lose bytes', at, task: random.below(tasks), flushes: random.pick([1, 3, 9]), ms: random.between(100, 800) };
  });
  return { clients, decisions: [...plan.decisions, ...lost] };
}

function drawStream(random: SeededRandom): StreamStep {
  return {
    kind: random.pick(['text', 'text', 'reasoning', 'tool-input', 'jsonl']),
    pieces: random.pick([1, 5, 20, 60]),
    size: random.pick([1, 4, 4, 40, 400]),
    restMs: random.pick([0, 10, 60, 300]),
    isAwaited: random.odds(0.7),
    ends: random.odds(0.75),
    ...(random.odds(0.5) && { onRerun: 'continue' as const }),
    ...(random.odds(0.25) && { closeAs: 'message' as const }),
  };
}

function drawHabit(random: SeededRandom): PartHabit {
  return {
    slowMs: random.pick([0, 0, 20, 300]),
    awayMs: random.pick([0, 200, 3_000]),
    ...(random.odds(0.4) && { leavesAfterMs: random.pick([100, 700, 4_000]) }),
    ...(random.odds(0.15) && { stallsAfter: random.between(2, 20) }),
  };
}
