import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { drawOutbox, OUTBOX_SHARE } from './outbox-drawing.ts';
import {
  TROUBLE_MS,
  type AnswerKind,
  type ClientPlan,
  type Decision,
  type FaultKind,
  type FaultPoint,
  type Plan,
  type Sizes,
} from './plan.ts';
import { drawRestores, RESTORE_SHARE } from './restore-drawing.ts';
import { drawTabs, TABS_SHARE } from './tabs-drawing.ts';
import { drawTokens, TOKENS_SHARE } from './tokens-drawing.ts';
import { drawHabit, drawWork } from './work-drawing.ts';

/** What may go wrong where, and within how many times it strikes. */
const faults: readonly (readonly [FaultPoint, number, readonly FaultKind[]])[] = [
  ['append', 60, ['before', 'after', 'after', 'slow', 'conflict', 'crash before', 'crash after', 'freeze']],
  ['append', 60, ['before', 'after', 'after', 'slow', 'conflict', 'crash before', 'crash after', 'freeze']],
  ['create', 4, ['before', 'after', 'slow', 'crash before', 'crash after']],
  ['load', 100, ['before', 'slow', 'crash before', 'freeze']],
  ['kept', 20, ['before', 'slow', 'crash before']],
  ['read', 40, ['before', 'slow', 'crash before', 'freeze']],
  ['due', 20, ['before', 'slow', 'crash after']],
  ['now', 20, ['before', 'slow', 'freeze']],
  ['lastEventIds', 8, ['before', 'slow']],
  ['watch', 20, ['before', 'after', 'slow']],
  ['tail', 60, ['lost', 'lost', 'late']],
  ['tail', 60, ['lost', 'lost', 'late']],
  ['executor.start', 4, ['before', 'after', 'slow', 'crash before', 'crash after']],
  ['executor.resume', 4, ['before', 'after', 'crash before', 'crash after']],
  ['executor.cancel', 4, ['before', 'after', 'crash before', 'crash after']],
  ['request', 30, ['lost', 'reply lost', 'repeated', 'silence', 'slow', 'refused', 'torn']],
  ['request', 30, ['lost', 'reply lost', 'repeated', 'silence', 'slow', 'refused', 'torn']],
  ['stream', 12, ['refused', 'missing', 'lost', 'mute', 'buffered', 'silence']],
  ['chunk', 60, ['cut', 'half-open', 'stalled', 'closed']],
  ['chunk', 60, ['cut', 'half-open', 'stalled', 'closed']],
  ['checkpoint.read', 4, ['before', 'slow']],
  ['checkpoint.write', 30, ['before', 'after', 'slow']],
  ['checkpoint.remove', 3, ['before', 'after']],
];

/** Draws a history from its seed. */
export function drawPlan(seed: number): Plan {
  const dice = seededRandom(`${seed}/plan`);
  const exclusive = dice.odds(0.15);
  const nodeCount = exclusive ? 1 : dice.pick([1, 2, 2, 3]);
  const nodes = Array.from({ length: nodeCount }, () => (dice.odds(0.5) ? 0 : dice.between(-600_000, 600_000)));
  const clients = Array.from({ length: dice.between(1, 3) }, () => drawClient(dice));
  const tasks = dice.pick([1, 1, 1, 2, 2, 3]);
  const decisions: Decision[] = [
    ...drawTasks(dice, tasks, clients.length),
    ...drawAnswers(dice, clients.length),
    ...drawClientTrouble(dice, clients.length),
    ...drawNodeTrouble(dice, nodeCount, tasks),
    ...drawFaults(dice),
  ];
  const sizes = drawSizes(dice);
  // What was thought of later has dice of its own, so that the seeds of before keep their histories.
  const late = seededRandom(`${seed}/plan, later`);
  const strangers = late.odds(0.2) ? [drawStranger(late, tasks, clients.length)] : [];
  const removes = late.odds(0.06) && { removes: true };
  const outbox = seededRandom(`${seed}/plan, outbox`);
  const kept = outbox.odds(OUTBOX_SHARE) ? drawOutbox(outbox, { tasks, clients: clients.length }) : undefined;
  const token = seededRandom(`${seed}/plan, tokens`);
  const limited = token.odds(TOKENS_SHARE) ? drawTokens(token) : undefined;
  const tab = seededRandom(`${seed}/plan, tabs`);
  const tabs = clients.length > 1 && tab.odds(TABS_SHARE);
  const restore = seededRandom(`${seed}/plan, restores`);
  const restores = restore.odds(RESTORE_SHARE) && !exclusive ? drawRestores(restore, tasks) : [];
  return {
    seed,
    nodes,
    exclusive,
    sizes,
    clients,
    decisions: [
      ...decisions,
      ...strangers,
      ...(kept?.decisions ?? []),
      ...(limited?.decisions ?? []),
      ...restores,
      ...(tabs ? drawTabs(tab, clients.length) : []),
    ],
    ...removes,
    ...(kept && { outbox: kept.outbox }),
    ...(limited && { tokens: limited.tokens }),
    ...(tabs && { tabs }),
  };
}

function drawStranger(dice: SeededRandom, tasks: number, clients: number): Decision {
  return { kind: 'stranger', at: 1_000 + dice.below(12_000), client: dice.below(clients), task: dice.below(tasks) };
}

function drawSizes(dice: SeededRandom): Sizes {
  return {
    retainedFactsMax: dice.pick([1_000, 1_000, 1_000, 12]),
    hotTasksMax: dice.pick([10_000, 10_000, 1]),
    appendFactsMax: dice.pick([256, 256, 1, 3]),
    viewerBytesMax: dice.pick([262_144, 262_144, 1_500, 400]),
    pageFactsMax: dice.pick([1_000, 1_000, 1, 3]),
    pollBytesMax: dice.pick([4_194_304, 4_194_304, 500]),
    pollEventsMax: dice.pick([100, 100, 1, 4]),
    undeliveredMax: dice.pick([1_000, 1_000, 2, 8]),
  };
}

function drawClient(dice: SeededRandom): ClientPlan {
  return {
    transports: dice.pick([['ws', 'sse', 'poll'], ['ws', 'sse', 'poll'], ['ws', 'poll'], ['sse', 'poll'], ['poll']]),
    sendsHeaders: dice.odds(0.5),
    clockOffMs: dice.odds(0.5) ? 0 : dice.between(-3_600_000, 3_600_000),
    hideAnswered: dice.odds(0.15),
    sharesSocket: dice.odds(0.6),
  };
}

function drawTasks(dice: SeededRandom, tasks: number, clients: number): Decision[] {
  return Array.from({ length: tasks }, (_, task): Decision[] => {
    const work = drawWork(dice);
    const at = dice.below(3_000);
    const client = (): number => dice.below(clients);
    const start: Decision = { kind: 'start', at, client: client(), task, work };
    const again: Decision[] = dice.odds(0.3) ? [{ ...start, at: at + dice.below(800), client: client() }] : [];
    const observers = Array.from({ length: dice.pick([1, 2, 2, 3, 4]) }, (): Decision => ({
      kind: 'observe',
      at: at + dice.below(9_000),
      client: client(),
      task,
      habit: drawHabit(dice),
    }));
    const cancels: Decision[] = dice.odds(0.25)
      ? [{ kind: 'cancel', at: at + dice.below(12_000), client: client(), task, ...(dice.odds(0.5) && { reason: 'enough' }) }]
      : [];
    return [start, ...again, ...observers, ...cancels];
  }).flat();
}

function drawAnswers(dice: SeededRandom, clients: number): Decision[] {
  return Array.from({ length: dice.between(0, 6) }, (): Decision => {
    const as = dice.pick<AnswerKind>(['plain', 'plain', 'plain', 'doubled', 'contradicted', 'forbidden']);
    return { kind: 'answer', question: dice.below(4), client: dice.below(clients), afterMs: dice.pick([0, 20, 500, 2_000, 5_000]), as };
  });
}

function drawClientTrouble(dice: SeededRandom, clients: number): Decision[] {
  return Array.from({ length: dice.pick([0, 1, 1, 2, 3]) }, (): Decision => {
    const at = dice.below(TROUBLE_MS - 4_000);
    const client = dice.below(clients);
    switch (dice.below(6)) {
      case 0:
      case 1:
        return { kind: 'client dies', at, client, backMs: dice.below(2_000) };
      case 2:
        return { kind: 'client closes', at, client, backMs: dice.below(2_000) };
      case 3:
        return { kind: 'offline', at, client, ms: dice.below(4_000) };
      case 4:
        return { kind: 'blocked', at, client, ms: dice.below(9_000), transport: dice.pick(['ws', 'ws', 'sse']) };
      default:
        return { kind: 'tokens end', at };
    }
  });
}

function drawNodeTrouble(dice: SeededRandom, nodes: number, tasks: number): Decision[] {
  return Array.from({ length: dice.pick([0, 1, 1, 2, 3]) }, (): Decision => {
    const at = dice.below(TROUBLE_MS - 4_000);
    const node = dice.below(nodes);
    switch (dice.below(9)) {
      case 0:
      case 1:
        return { kind: 'crash', at, node, backMs: dice.below(5_000), silent: dice.odds(0.3) };
      case 2:
        return { kind: 'close', at, node, backMs: dice.below(3_000), drainMs: dice.pick([1, 500, 3_000]) };
      case 3:
        return { kind: 'freeze', at, node, ms: dice.pick([300, 3_000, 9_000]) };
      case 4:
        return { kind: 'clock', at, node, byMs: dice.between(-20_000, 20_000) };
      case 5:
        return { kind: 'store away', at, node, ms: dice.pick([200, 2_000, 8_000]) };
      case 6:
        return { kind: 'tail away', at, node, ms: dice.pick([200, 2_000]) };
      default:
        return { kind: 'actor', at, node, task: dice.below(tasks) };
    }
  });
}

function drawFaults(dice: SeededRandom): Decision[] {
  const count = dice.pick([0, 1, 2, 4, 6, 10]);
  return Array.from({ length: count }, (): Decision => {
    const [on, within, kinds] = dice.pick(faults);
    return { kind: 'fault', on, nth: dice.below(within), what: dice.pick(kinds) };
  });
}
