import { Redis } from 'ioredis';
import { chaosProxy } from '../conformance/chaos/proxy.ts';
import { startNode } from '../redis/node-process.ts';
import { startRedis } from '../redis/redis-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { buildProgram } from '../support/built-program.ts';
import { faultInjectorOf, planDeployments, planFaults, type FaultName } from './faults.ts';
import { delivered, emptyRunRecord, type RunRecord } from './run-record.ts';
import { quiesce } from './quiesce.ts';
import { checkRun, type CheckResult } from './checker.ts';
import { walkList, walkLists } from './list-walk.ts';
import { logsOf } from './logs.ts';
import { WorkRecord, type HostMessage } from './work-record.ts';
import { runClient } from './chaos-client.ts';
import { patience } from '../support/patience.ts';

/** What a run is told. */
export interface ChaosRunOptions {
  readonly seed: number;
  /** How long things break, in milliseconds; what is begun then is brought to its end afterwards. */
  readonly runMs: number;
  /** Deploys new hosts that often, in milliseconds, in place of what befalls processes by chance; some tasks may not be repeated then. */
  readonly deployEveryMs?: number;
  /** Defaults to 50. */
  readonly clients?: number;
  /** Defaults to a minute. */
  readonly settleMs?: number;
  /** Told of every fault, and of the state of things every ten seconds. */
  readonly say?: (line: string) => void;
}

/** What a run came to. */
export interface ChaosReport extends CheckResult {
  readonly seed: number;
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly record: RunRecord;
  readonly settledInMs: number;
}

/** A host that is frozen for longer loses its work to the other one. */
const LEASE_MS = patience(2500);
const PROXIES = 10;
const OWNERS = 5;
const ONCE_SHARE = 0.25;
/** Every so-manieth client has a task that says nothing from its first minute to the end of the run, however many of its hosts crash. */
const LASTING_EVERY = 12;
const TRANSPORTS = ['ws', 'sse', 'poll', undefined] as const;
/** Two hosts on one Redis, a shared of clients behind proxies that misbehave, and everything killed now and then. */
export async function runChaos({
  seed,
  runMs,
  deployEveryMs,
  clients = 50,
  settleMs = patience(60_000),
  say = () => undefined,
}: ChaosRunOptions): Promise<ChaosReport> {
  const random = seededRandom(seed);
  const begunAt = Date.now();
  const tell = (line: string): void => say(`${((Date.now() - begunAt) / 1000).toFixed(1).padStart(7)} s  ${line}`);
  const redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  const program = await buildProgram(new URL('children/host.ts', import.meta.url));
  const work = new WorkRecord();
  const hosts = await Promise.all([
    startNode(redis.port, { program: program.file, leaseMs: LEASE_MS, hear: (message) => work.heard(0, message as HostMessage) }),
    startNode(redis.port, { program: program.file, leaseMs: LEASE_MS, hear: (message) => work.heard(1, message as HostMessage) }),
  ]);
  let turn = 0;
  const target = () => {
    turn += 1;
    return hosts.map((_host, nth) => ({ port: (hosts[(nth + turn) % hosts.length] ?? hosts[0]).port }));
  };
  const proxies = await Promise.all(Array.from({ length: PROXIES }, () => chaosProxy({ target })));
  const record = emptyRunRecord();
  const faultInjector = faultInjectorOf({ redis, hosts, proxies, work }, tell);
  let isOver = false;
  const shared = { record, onceShare: deployEveryMs === undefined ? 0 : ONCE_SHARE, isOver: () => isOver, begun: [] };
  const progress = setInterval(() => tell(progressOf(record)), 10_000);
  try {
    const living = Array.from({ length: clients }, (_visitor, nth) => {
      const baseUrl = proxies[nth % PROXIES]?.url ?? '';
      const [owner, transport] = [`owner-${nth % OWNERS}`, TRANSPORTS[Math.floor(nth / OWNERS) % TRANSPORTS.length]];
      // The name of the random source is part of what a seed means.
      const lasts = nth % LASTING_EVERY === 0;
      return runClient({ name: `v${nth}`, owner, baseUrl, transport, random: random.for(`visitor ${nth}`), lasts }, shared);
    });
    const owners = Array.from({ length: OWNERS }, (_owner, nth) => `owner-${nth}`);
    const listing = walkLists(record, owners, { isOver: () => isOver, urlOf: (walk) => proxies[walk % PROXIES]?.url ?? '' });
    const targets = { hosts: hosts.length, proxies: PROXIES };
    const plan =
      deployEveryMs === undefined
        ? planFaults(random.for('faults'), runMs, targets)
        : planDeployments(random.for('faults'), runMs, { ...targets, everyMs: deployEveryMs });
    const startedAt = Date.now();
    const pauseUntil = (atMs: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, startedAt + atMs - Date.now())));
    for (const fault of plan) {
      await pauseUntil(fault.atMs);
      void faultInjector.inflict(fault);
    }
    await pauseUntil(runMs);
    await faultInjector.mended();
    isOver = true;
    tell('no more faults; what was begun is brought to its end');
    const settlingAt = Date.now();
    await quiesce(record, hosts[0].url, settleMs);
    const late = new Promise((resolve) => setTimeout(resolve, Math.max(patience(15_000), settlingAt + settleMs - Date.now())));
    await Promise.race([Promise.all(living), late]);
    const settledInMs = Date.now() - settlingAt;
    await listing;
    for (const [nth, owner] of owners.entries())
      if (!(await walkList(record, owner, hosts[nth % hosts.length]?.url ?? '')))
        record.lists.faults.push(`the list of ${owner} was not answered`);
    // Calls that were on their way when their tasks ended.
    await quiesce(record, hosts[1].url, 1000);
    tell(progressOf(record));
    return {
      ...checkRun(
        record,
        await logsOf(new Redis(redis.port)),
        deployEveryMs === undefined ? undefined : { record: work, leaseMs: LEASE_MS },
      ),
      seed,
      faults: faultInjector.counts,
      record,
      settledInMs,
    };
  } finally {
    clearInterval(progress);
    isOver = true;
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await Promise.all(hosts.map((host) => host.kill()));
    await redis.stop();
    await program.remove();
  }
}

function progressOf(record: RunRecord): string {
  const { creations, viewings, actions, brought, lives, cancels } = record;
  const ended = viewings.filter(({ stays }) => stays.at(-1)?.end === 'ended').length;
  const unknown = actions.filter(({ outcomes }) => outcomes.includes('unknown')).length;
  return (
    `${creations.length} tasks, ${delivered(record)} facts delivered (ws ${brought.ws}, sse ${brought.sse}, poll ${brought.poll} came), ` +
    `${ended} of ${viewings.length} viewings ended, ${lives} lives of clients, ${record.lists.walked} lists, ${actions.length} actions (${unknown} once unknown), ${cancels} cancels`
  );
}
