import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision, type FaultKind, type FaultPoint, type OutboxPlan } from './plan.ts';
import { drawHabit, drawWork } from './work-drawing.ts';

/** How many of all histories have outboxes. */
export const OUTBOX_SHARE = 0.15;

const faults: readonly (readonly [FaultPoint, number, readonly FaultKind[]])[] = [
  ['shelf.read', 20, ['before', 'after', 'slow', 'die before', 'die after']],
  ['shelf.change', 16, ['before', 'after', 'slow', 'die before', 'die before', 'die after', 'die after']],
  ['request', 20, ['lost', 'reply lost', 'repeated', 'silence', 'slow', 'refused', 'torn']],
];

/** Draws outboxes for some of the clients, with tasks of their own beside those of the others. */
export function drawOutbox(
  dice: SeededRandom,
  { tasks, clients }: { readonly tasks: number; readonly clients: number },
): { readonly outbox: OutboxPlan; readonly decisions: readonly Decision[] } {
  const isShared = dice.odds(0.6);
  const outbox: OutboxPlan = {
    shelves: Array.from({ length: clients }, (_, client) => (isShared ? 0 : client)),
    locks: dice.odds(0.75),
    ageMsMax: dice.odds(0.8) ? 86_400_000 : dice.between(500, 6_000),
  };
  const kept = Array.from({ length: dice.pick([1, 1, 2, 3]) }, (_, index) => drawKept(dice, tasks + index, clients)).flat();
  const answers = Array.from({ length: dice.between(1, 6) }, (): Decision => {
    const afterMs = dice.pick([0, 20, 500, 2_000]);
    return { kind: 'keep answer', question: dice.below(6), client: dice.below(clients), afterMs, isAllowed: dice.odds(0.85) };
  });
  const trouble = Array.from({ length: dice.between(0, 4) }, () => drawTrouble(dice, clients));
  const struck = Array.from({ length: dice.pick([0, 1, 2, 4]) }, (): Decision => {
    const [on, within, kinds] = dice.pick(faults);
    return { kind: 'fault', on, nth: dice.below(within), what: dice.pick(kinds) };
  });
  return { outbox, decisions: [...kept, ...answers, ...trouble, ...struck] };
}

function drawKept(dice: SeededRandom, task: number, clients: number): Decision[] {
  const client = dice.below(clients);
  const at = dice.below(8_000);
  const start: Decision = { kind: 'keep start', at, client, task, work: drawWork(dice) };
  const again: Decision[] = dice.odds(0.2) ? [{ ...start, at: at + dice.below(800) }] : [];
  const watcher: Decision = { kind: 'observe', at: at + dice.below(4_000), client: dice.below(clients), task, habit: drawHabit(dice) };
  const cancel: Decision[] = dice.odds(0.4) ? [{ kind: 'keep cancel', at: at + dice.pick([0, 5, 500, 5_000]), client, task }] : [];
  return [start, ...again, watcher, ...cancel];
}

function drawTrouble(dice: SeededRandom, clients: number): Decision {
  const at = dice.below(TROUBLE_MS - 6_000);
  const client = dice.below(clients);
  switch (dice.below(8)) {
    case 0:
    case 1:
      return { kind: 'client dies', at, client, backMs: dice.below(2_000) };
    case 2:
      return { kind: 'client closes', at, client, backMs: dice.below(2_000) };
    case 3:
      return { kind: 'client freezes', at, client, ms: dice.pick([300, 3_000, 9_000]) };
    case 4:
      return { kind: 'offline', at, client, ms: dice.below(5_000) };
    case 5:
      return { kind: 'dismiss', at, client };
    default:
      return { kind: 'withdraw', at, client };
  }
}
