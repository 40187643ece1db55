import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision, type FaultKind, type FaultPoint, type OutboxPlan } from './plan.ts';
import { generateHabit, generateWork } from './work-generator.ts';

/** How many of all histories have outboxes. */
export const OUTBOX_SHARE = 0.15;

const faults: readonly (readonly [FaultPoint, number, readonly FaultKind[]])[] = [
  ['shelf.read', 20, ['before', 'after', 'slow', 'die before', 'die after']],
  ['shelf.change', 16, ['before', 'after', 'slow', 'die before', 'die before', 'die after', 'die after']],
  ['request', 20, ['lost', 'reply lost', 'repeated', 'silence', 'slow', 'refused', 'torn']],
];

/** Draws outboxes for some of the clients, with tasks of their own beside those of the others. */
export function generateOutbox(
  random: SeededRandom,
  { tasks, clients }: { readonly tasks: number; readonly clients: number },
): { readonly outbox: OutboxPlan; readonly decisions: readonly Decision[] } {
  const isShared = random.odds(0.6);
  const outbox: OutboxPlan = {
    shelves: Array.from({ length: clients }, (_, client) => (isShared ? 0 : client)),
    locks: random.odds(0.75),
    ageMsMax: random.odds(0.8) ? 86_400_000 : random.between(500, 6_000),
  };
  const kept = Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, index) => drawKept(random, tasks + index, clients)).flat();
  const answers = Array.from({ length: random.between(1, 6) }, (): Decision => {
    const afterMs = random.pick([0, 20, 500, 2_000]);
    return { kind: 'keep answer', question: random.below(6), client: random.below(clients), afterMs, isAllowed: random.odds(0.85) };
  });
  const trouble = Array.from({ length: random.between(0, 4) }, () => drawTrouble(random, clients));
  const struck = Array.from({ length: random.pick([0, 1, 2, 4]) }, (): Decision => {
    const [on, within, kinds] = random.pick(faults);
    return { kind: 'fault', on, nth: random.below(within), what: random.pick(kinds) };
  });
  return { outbox, decisions: [...kept, ...answers, ...trouble, ...struck] };
}

function drawKept(random: SeededRandom, task: number, clients: number): Decision[] {
  const client = random.below(clients);
  const at = random.below(8_000);
  const start: Decision = { kind: 'keep start', at, client, task, work: generateWork(random) };
  const again: Decision[] = random.odds(0.2) ? [{ ...start, at: at + random.below(800) }] : [];
  const watcher: Decision = {
    kind: 'observe',
    at: at + random.below(4_000),
    client: random.below(clients),
    task,
    habit: generateHabit(random),
  };
  const cancel: Decision[] = random.odds(0.4) ? [{ kind: 'keep cancel', at: at + random.pick([0, 5, 500, 5_000]), client, task }] : [];
  return [start, ...again, watcher, ...cancel];
}

function drawTrouble(random: SeededRandom, clients: number): Decision {
  const at = random.below(TROUBLE_MS - 6_000);
  const client = random.below(clients);
  switch (random.below(8)) {
    case 0:
    case 1:
      return { kind: 'client dies', at, client, backMs: random.below(2_000) };
    case 2:
      return { kind: 'client closes', at, client, backMs: random.below(2_000) };
    case 3:
      return { kind: 'client freezes', at, client, ms: random.pick([300, 3_000, 9_000]) };
    case 4:
      return { kind: 'offline', at, client, ms: random.below(5_000) };
    case 5:
      return { kind: 'dismiss', at, client };
    default:
      return { kind: 'withdraw', at, client };
  }
}
