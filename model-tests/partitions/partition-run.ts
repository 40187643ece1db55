import { chaosProxy } from '../conformance/chaos/proxy.ts';
import { runClient } from '../chaos/chaos-client.ts';
import { checkRun, type CheckResult } from '../chaos/checker.ts';
import { logsOf } from '../chaos/logs.ts';
import { lostHistoriesOf, type GivenUp } from '../chaos/lost-histories.ts';
import { quiesce } from '../chaos/quiesce.ts';
import { emptyRunRecord, type RunRecord } from '../chaos/run-record.ts';
import { WorkRecord } from '../chaos/work-record.ts';
import { buildProgram } from '../support/built-program.ts';
import { patience } from '../support/patience.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { planCuts, type CutKind, type PlannedCut } from './cuts.ts';
import { layNetwork, type NamespaceNetwork } from './namespace-network.ts';
import { startPartitionNode, type PartitionNode } from './partition-node.ts';
import { DOWN_AFTER_MS, otherOf, redisMachines, startRedisPair, type RedisPair } from './redis-pair.ts';
import { setDateOff, wrongDateEnv } from './wrong-date.ts';

/** What a run is told. */
export interface PartitionOptions {
  readonly seed: number;
  /** How often each kind is cut. */
  readonly times: number;
  readonly kinds: readonly CutKind[];
  readonly clients: number;
  readonly settleMs?: number;
  readonly say: (line: string) => void;
}

/** What it came to. */
export interface PartitionReport extends CheckResult {
  readonly record: RunRecord;
  readonly cuts: ReadonlyMap<CutKind, number>;
  /** How often the replica was promoted. */
  readonly promotions: number;
  /** Facts and whole tasks that were acknowledged by a master that was given up, and how often a client was told `reset`. */
  readonly lost: { readonly facts: number; readonly tasks: number; readonly resets: number };
  readonly settledInMs: number;
}

const [CLIENTS, NODES] = ['clients', ['node-1', 'node-2'] as const];
const LEASE_MS = patience(2500);
const OWNERS = 3;
const TRANSPORTS = ['ws', 'sse', 'poll', undefined] as const;
/** How far the dates of the servers and of the clients are off. */
const DATES_OFF_MS = { 'redis-1': 45_000, 'redis-2': -45_000, clients: 3_600_000 } as const;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Clients, two nodes, a master, a replica and Sentinels on machines of their own, and wires that are cut one after the other. */
export async function runPartitions(options: PartitionOptions): Promise<PartitionReport> {
  const { seed, times, kinds, clients, settleMs = patience(90_000), say } = options;
  const random = seededRandom(seed);
  const begunAt = performance.now();
  const tell = (line: string): void => say(`${((performance.now() - begunAt) / 1000).toFixed(1).padStart(7)} s  ${line}`);
  const network = await layNetwork([CLIENTS, ...NODES, ...redisMachines]);
  const datesOff = wrongDateEnv();
  if (!datesOff) tell('NO C COMPILER HERE: master and replica have one date');
  setDateOff(DATES_OFF_MS.clients);
  const pair = await startRedisPair(network, (machine) => datesOff?.(DATES_OFF_MS[machine]) ?? {});
  const program = await buildProgram(new URL('children/host.ts', import.meta.url));
  const work = new WorkRecord();
  const nodes = await Promise.all(
    NODES.map((machine, nth) =>
      startPartitionNode(network, machine, { program: program.file, leaseMs: LEASE_MS, hear: (message) => work.heard(nth, message) }),
    ),
  );
  let turn = 0;
  // As a balancer does it that knows nothing: each connection goes to the next.
  const next = (): readonly PartitionNode[] => nodes.slice((turn += 1) % nodes.length).slice(0, 1);
  const balancer = await chaosProxy({ target: next });
  const record = emptyRunRecord();
  const mayBeGone = kinds.includes('master | replica');
  let isOver = false;
  const shared = { record, onceShare: 0, isOver: () => isOver, begun: [] };
  const living = Array.from({ length: clients }, (_, nth) => {
    const [owner, transport] = [`owner-${nth % OWNERS}`, TRANSPORTS[nth % TRANSPORTS.length]];
    return runClient({ name: `v${nth}`, owner, baseUrl: balancer.url, transport, random: random.for(`client ${nth}`) }, shared);
  });
  try {
    const cutter = new Cutter({ network, pair, nodes, tell });
    for (const cut of planCuts(random.for('cuts'), times, kinds, DOWN_AFTER_MS)) await cutter.inflict(cut);
    isOver = true;
    tell('no more cuts; what was begun is brought to its end');
    const settlingAt = performance.now();
    await quiesce(record, balancer.url, settleMs, { mayBeGone });
    await Promise.race([Promise.all(living), pause(Math.max(patience(15_000), settlingAt + settleMs - performance.now()))]);
    const settledInMs = performance.now() - settlingAt;
    // Calls that were on their way when their tasks ended.
    await quiesce(record, balancer.url, 1000, { mayBeGone });
    const logs = await logsOf(pair.connect(await pair.master()));
    const lost = lostHistoriesOf(cutter.given, logs);
    // Two masters are two leases: who works at once is told of one only.
    const judge = mayBeGone ? undefined : { record: work, leaseMs: LEASE_MS };
    return {
      ...checkRun(record, logs, judge, lost),
      record,
      cuts: cutter.counts,
      promotions: cutter.promotions,
      lost: { facts: lost.facts, tasks: lost.tasks, resets: record.gaps.filter(({ reason }) => reason === 'reset').length },
      settledInMs,
    };
  } finally {
    isOver = true;
    await balancer.close();
    await Promise.all(nodes.map((node) => node.kill()));
    await pair.stop();
    await program.remove();
  }
}

/** What is cut. */
interface CutWorld {
  readonly network: NamespaceNetwork;
  readonly pair: RedisPair;
  readonly nodes: readonly PartitionNode[];
  readonly tell: (line: string) => void;
}

/** Cuts one wire at a time. */
class Cutter {
  readonly counts = new Map<CutKind, number>();
  /** What servers had when they were given up. */
  readonly given: GivenUp[] = [];
  promotions = 0;
  readonly #world: CutWorld;

  constructor(world: CutWorld) {
    this.#world = world;
  }

  async inflict(cut: PlannedCut): Promise<void> {
    const { network, nodes, tell } = this.#world;
    const { kind, afterMs, lastsMs, way, node, sides, datesOffMs } = cut;
    await pause(afterMs);
    nodes.forEach((each, nth) => each.setDateOff(datesOffMs[nth] ?? 0));
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const machine = NODES[node];
    const about = kind === 'master | replica' ? `nodes see ${sides.join(' and ')}` : `${machine}, ${way}`;
    tell(`${kind} (${about}) for ${lastsMs} ms; dates off by ${datesOffMs.map((ms) => Math.round(ms / 1000)).join(' and ')} s`);
    if (kind === 'master | replica') return this.#split(cut);
    if (kind === 'node | node') await network.cut(NODES[node], NODES[1 - node] ?? '', way);
    if (kind === 'client | node') await network.cut(...this.#either(node, [CLIENTS, machine]), way);
    if (kind === 'node | Redis')
      for (const server of redisMachines.slice(0, 2)) await network.cut(...this.#either(lastsMs % 2, [machine, server]), way);
    await pause(lastsMs);
    await network.heal();
  }

  /** Which of the two goes unheard where one does. */
  #either(nth: number, [one, other]: readonly [string, string]): readonly [string, string] {
    return nth === 0 ? [one, other] : [other, one];
  }

  /** The master, and who is on its side, sees neither the replica nor the Sentinels that agree without it. */
  async #split({ lastsMs, sides }: PlannedCut): Promise<void> {
    const { network, pair, tell } = this.#world;
    const master = await pair.master();
    const replica = otherOf(master);
    const [, , watch] = redisMachines;
    await network.cut(master, replica);
    await network.cut(master, watch);
    for (const [nth, side] of sides.entries()) {
      const node = NODES[nth] ?? '';
      if (side === 'master') for (const unseen of [replica, watch]) await network.cut(node, unseen);
      if (side === 'replica') await network.cut(node, master);
    }
    await pause(lastsMs);
    // What it has now is all that it will ever have told anybody, should the other lead.
    const logs = await pair.closeLog(master);
    await network.heal();
    const leader = await pair.settled();
    if (leader !== master) {
      this.promotions += 1;
      this.given.push({ logs, at: performance.now() });
    }
    tell(`${leader} ${leader === master ? 'still leads' : 'was promoted, and leads'}`);
  }
}
