import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { generateOutages, haveSomeAsk, OUTAGE_SHARE, worsenWork } from './outage-generator.ts';
import { generateOutbox, OUTBOX_SHARE } from './outbox-generator.ts';
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
import { generateParts, PARTS_SHARE, streamParts, takeParts } from './parts-generator.ts';
import { replaceValues } from './values-generator.ts';
import { generateProviders, PROVIDERS_SHARE } from './provider-generator.ts';
import { generateRollbacks, ROLLBACK_SHARE } from './rollback-generator.ts';
import { generateTabs, TABS_SHARE } from './tabs-generator.ts';
import { generateTokens, TOKENS_SHARE } from './tokens-generator.ts';
import { generateWeather, WEATHER_SHARE } from './weather-generator.ts';
import { generateHabit, generateWork } from './work-generator.ts';

/** What may go wrong where, and within how many times it strikes. */
const faults: readonly (readonly [FaultPoint, number, readonly FaultKind[]])[] = [
  ['append', 60, ['before', 'after', 'after', 'slow', 'conflict', 'crash before', 'crash after', 'freeze']],
  ['append', 60, ['before', 'after', 'after', 'slow', 'conflict', 'crash before', 'crash after', 'freeze']],
  ['create', 4, ['before', 'after', 'slow', 'crash before', 'crash after']],
  ['load', 100, ['before', 'slow', 'crash before', 'freeze']],
  ['kept', 20, ['before', 'slow', 'crash before']],
  ['read', 40, ['before', 'slow', 'crash before', 'freeze']],
  ['take', 20, ['before', 'slow', 'crash after']],
  ['renew', 20, ['before', 'after', 'slow', 'freeze', 'crash after']],
  ['leases', 20, ['before', 'slow']],
  ['held', 4, ['before', 'slow', 'crash after']],
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
export function generatePlan(seed: number): Plan {
  const random = seededRandom(`${seed}/plan`);
  const exclusive = random.odds(0.15);
  const nodeCount = exclusive ? 1 : random.pick([1, 2, 2, 3]);
  const nodes = Array.from({ length: nodeCount }, () => (random.odds(0.5) ? 0 : random.between(-600_000, 600_000)));
  const clients = Array.from({ length: random.between(1, 3) }, () => drawClient(random));
  const tasks = random.pick([1, 1, 1, 2, 2, 3]);
  const decisions: Decision[] = [
    ...drawTasks(random, tasks, clients.length),
    ...drawAnswers(random, clients.length),
    ...drawClientTrouble(random, clients.length),
    ...drawNodeTrouble(random, nodeCount, tasks),
    ...drawFaults(random),
  ];
  const sizes = drawSizes(random);
  // What was thought of later has random of its own, so that the seeds of before keep their histories.
  const late = seededRandom(`${seed}/plan, later`);
  const strangers = late.odds(0.2) ? [drawStranger(late, tasks, clients.length)] : [];
  const removes = late.odds(0.06) && { removes: true };
  const outbox = seededRandom(`${seed}/plan, outbox`);
  const kept = outbox.odds(OUTBOX_SHARE) ? generateOutbox(outbox, { tasks, clients: clients.length }) : undefined;
  const token = seededRandom(`${seed}/plan, tokens`);
  const limited = token.odds(TOKENS_SHARE) ? generateTokens(token) : undefined;
  const tab = seededRandom(`${seed}/plan, tabs`);
  const tabs = clients.length > 1 && tab.odds(TABS_SHARE);
  const weather = seededRandom(`${seed}/plan, weather`);
  const restore = seededRandom(`${seed}/plan, restores`);
  const rollback = restore.odds(ROLLBACK_SHARE) && !exclusive ? generateRollbacks(restore, tasks) : [];
  const provider = seededRandom(`${seed}/plan, providers`);
  const failing = provider.odds(PROVIDERS_SHARE) ? generateProviders(provider, clients.length) : [];
  const all = [
    ...decisions,
    ...strangers,
    ...(kept?.decisions ?? []),
    ...(limited?.decisions ?? []),
    ...rollback,
    ...(tabs ? generateTabs(tab, clients.length) : []),
    ...failing,
    ...(weather.odds(WEATHER_SHARE) ? generateWeather(weather, clients.length) : []),
  ];
  const outage = seededRandom(`${seed}/plan, outages`);
  const isWorse = outage.odds(OUTAGE_SHARE);
  const slots = outage.pick([0, 1, 2]);
  const part = seededRandom(`${seed}/plan, parts`);
  const worse = isWorse
    ? [...haveSomeAsk(seededRandom(`${seed}/plan, poison`), worsenWork(outage, all)), ...generateOutages(outage, nodeCount)]
    : all;
  const hasParts = part.odds(PARTS_SHARE);
  const parting = hasParts ? [...streamParts(part, worse), ...generateParts(part, tasks, !exclusive)] : worse;
  const streaming = { clients, decisions: hasParts ? replaceValues(seededRandom(`${seed}/plan, values`), parting) : worse };
  const shown = hasParts ? takeParts(seededRandom(`${seed}/plan, parts in clients`), streaming, tasks, !exclusive) : streaming;
  return {
    seed,
    nodes,
    exclusive,
    sizes,
    ...shown,
    ...(hasParts && part.odds(0.4) && { factBytesMax: 2_048 }),
    ...(isWorse && slots > 0 && { slots }),
    ...removes,
    ...(kept && { outbox: kept.outbox }),
    ...(limited && { tokens: { ...limited.tokens, ...(provider.odds(0.5) && { endsByWorld: true }) } }),
    ...(tabs && { tabs }),
  };
}

function drawStranger(random: SeededRandom, tasks: number, clients: number): Decision {
  return { kind: 'stranger', at: 1_000 + random.below(12_000), client: random.below(clients), task: random.below(tasks) };
}

function drawSizes(random: SeededRandom): Sizes {
  return {
    retainedFactsMax: random.pick([1_000, 1_000, 1_000, 12]),
    hotTasksMax: random.pick([10_000, 10_000, 1]),
    appendFactsMax: random.pick([256, 256, 1, 3]),
    viewerBytesMax: random.pick([262_144, 262_144, 1_500, 400]),
    pageFactsMax: random.pick([1_000, 1_000, 1, 3]),
    pollBytesMax: random.pick([4_194_304, 4_194_304, 500]),
    pollEventsMax: random.pick([100, 100, 1, 4]),
    undeliveredMax: random.pick([1_000, 1_000, 2, 8]),
  };
}

function drawClient(random: SeededRandom): ClientPlan {
  return {
    transports: random.pick([['ws', 'sse', 'poll'], ['ws', 'sse', 'poll'], ['ws', 'poll'], ['sse', 'poll'], ['poll']]),
    sendsHeaders: random.odds(0.5),
    clockOffMs: random.odds(0.5) ? 0 : random.between(-3_600_000, 3_600_000),
    hideAnswered: random.odds(0.15),
    sharesSocket: random.odds(0.6),
  };
}

function drawTasks(random: SeededRandom, tasks: number, clients: number): Decision[] {
  return Array.from({ length: tasks }, (_, task): Decision[] => {
    const work = generateWork(random);
    const at = random.below(3_000);
    const client = (): number => random.below(clients);
    const start: Decision = { kind: 'start', at, client: client(), task, work };
    const again: Decision[] = random.odds(0.3) ? [{ ...start, at: at + random.below(800), client: client() }] : [];
    const observers = Array.from({ length: random.pick([1, 2, 2, 3, 4]) }, (): Decision => ({
      kind: 'observe',
      at: at + random.below(9_000),
      client: client(),
      task,
      habit: generateHabit(random),
    }));
    const cancels: Decision[] = random.odds(0.25)
      ? [{ kind: 'cancel', at: at + random.below(12_000), client: client(), task, ...(random.odds(0.5) && { reason: 'enough' }) }]
      : [];
    return [start, ...again, ...observers, ...cancels];
  }).flat();
}

function drawAnswers(random: SeededRandom, clients: number): Decision[] {
  return Array.from({ length: random.between(0, 6) }, (): Decision => {
    const as = random.pick<AnswerKind>(['plain', 'plain', 'plain', 'doubled', 'contradicted', 'forbidden']);
    return {
      kind: 'answer',
      question: random.below(4),
      client: random.below(clients),
      afterMs: random.pick([0, 20, 500, 2_000, 5_000]),
      as,
    };
  });
}

function drawClientTrouble(random: SeededRandom, clients: number): Decision[] {
  return Array.from({ length: random.pick([0, 1, 1, 2, 3]) }, (): Decision => {
    const at = random.below(TROUBLE_MS - 4_000);
    const client = random.below(clients);
    switch (random.below(6)) {
      case 0:
      case 1:
        return { kind: 'client dies', at, client, backMs: random.below(2_000) };
      case 2:
        return { kind: 'client closes', at, client, backMs: random.below(2_000) };
      case 3:
        return { kind: 'offline', at, client, ms: random.below(4_000) };
      case 4:
        return { kind: 'blocked', at, client, ms: random.below(9_000), transport: random.pick(['ws', 'ws', 'sse']) };
      default:
        return { kind: 'tokens end', at };
    }
  });
}

function drawNodeTrouble(random: SeededRandom, nodes: number, tasks: number): Decision[] {
  return Array.from({ length: random.pick([0, 1, 1, 2, 3]) }, (): Decision => {
    const at = random.below(TROUBLE_MS - 4_000);
    const node = random.below(nodes);
    switch (random.below(9)) {
      case 0:
      case 1:
        return { kind: 'crash', at, node, backMs: random.below(5_000), silent: random.odds(0.3) };
      case 2:
        return { kind: 'close', at, node, backMs: random.below(3_000), drainMs: random.pick([1, 500, 3_000]) };
      case 3:
        return { kind: 'freeze', at, node, ms: random.pick([300, 3_000, 9_000]) };
      case 4:
        return { kind: 'clock', at, node, byMs: random.between(-20_000, 20_000) };
      case 5:
        return { kind: 'store away', at, node, ms: random.pick([200, 2_000, 8_000]) };
      case 6:
        return { kind: 'tail away', at, node, ms: random.pick([200, 2_000]) };
      default:
        return { kind: 'actor', at, node, task: random.below(tasks) };
    }
  });
}

function drawFaults(random: SeededRandom): Decision[] {
  const count = random.pick([0, 1, 2, 4, 6, 10]);
  return Array.from({ length: count }, (): Decision => {
    const [on, within, kinds] = random.pick(faults);
    return { kind: 'fault', on, nth: random.below(within), what: random.pick(kinds) };
  });
}
