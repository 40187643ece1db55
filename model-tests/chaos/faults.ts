import type { ChaosProxy } from '../conformance/chaos/proxy.ts';
import type { NodeProcess } from '../redis/node-process.ts';
import type { RedisServer } from '../redis/redis-server.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { WorkRecord } from './work-record.ts';

/** What is broken. */
export interface FaultTargets {
  readonly redis: RedisServer;
  readonly hosts: readonly NodeProcess[];
  readonly proxies: readonly ChaosProxy[];
  /** Told of deployments. */
  readonly work?: WorkRecord;
}

/** One fault of the plan. */
export interface PlannedFault {
  /** Since the beginning. */
  readonly atMs: number;
  readonly name: FaultName;
  /** Which host or proxy. */
  readonly target: number;
  /** How long it lasts. */
  readonly lastsMs: number;
  /** Bytes, where it has any. */
  readonly amount: number;
}

const processFaults = ['kill a host', 'freeze a host', 'kill both hosts', 'kill Redis', 'freeze Redis'] as const;
const wireFaults = [
  'reset',
  'stall up',
  'stall down',
  'half-open for the client',
  'half-open for the server',
  'throttle',
  'buffer',
  'cut by reset',
  'cut by end',
  'refuse',
  'delay',
] as const;
const deployments = ['deploy', 'deploy without grace'] as const;
/** A kind of fault. */
export type FaultName = (typeof processFaults)[number] | (typeof wireFaults)[number] | (typeof deployments)[number];
/** All kinds that befall a host by chance. */
export const faultNames: readonly FaultName[] = [...processFaults, ...wireFaults];

/** Draws what breaks when: the same seed, the same plan. */
export function planFaults(
  random: SeededRandom,
  runMs: number,
  { hosts, proxies }: { readonly hosts: number; readonly proxies: number },
): PlannedFault[] {
  const plan: PlannedFault[] = [];
  // Each kind comes once before chance decides, so that a short run has them all.
  const first = shuffled(random, faultNames);
  for (let atMs = 2000; atMs < runMs - 4000; atMs += random.between(300, 2400)) {
    const name = first.shift() ?? (random.odds(0.25) ? random.pick(processFaults) : random.pick(wireFaults));
    const isProcess = (processFaults as readonly string[]).includes(name);
    plan.push({
      atMs,
      name,
      target: random.between(0, (isProcess ? hosts : proxies) - 1),
      lastsMs: isProcess ? random.between(100, 4000) : random.between(500, 6000),
      amount: random.between(100, 20_000),
    });
  }
  return plan;
}

/** A new version of the hosts, one after the other, again and again: every second time they are not asked to close. Wires break meanwhile. */
export function planDeployments(
  random: SeededRandom,
  runMs: number,
  { hosts, proxies, everyMs }: { readonly hosts: number; readonly proxies: number; readonly everyMs: number },
): PlannedFault[] {
  const wires = planFaults(random, runMs, { hosts, proxies }).filter(({ name }) => (wireFaults as readonly string[]).includes(name));
  const count = Math.max(0, Math.ceil((runMs - everyMs / 4) / everyMs));
  const deploys = Array.from({ length: count }, (_, nth) => ({
    atMs: everyMs / 4 + nth * everyMs,
    name: deployments[nth % 2] ?? 'deploy',
    target: 0,
    lastsMs: random.between(0, 500),
    amount: 0,
  }));
  return [...wires, ...deploys].sort((a, b) => a.atMs - b.atMs);
}

/** Breaks things, one fault at a time for each of them. */
export interface FaultInjector {
  /** Resolves when the fault is over; at once, and without a word, where the same thing is broken already. */
  inflict(fault: PlannedFault): Promise<void>;
  /** Resolves when everything is whole again. */
  mended(): Promise<void>;
  /** How often each kind was inflicted. */
  readonly counts: ReadonlyMap<FaultName, number>;
}

/** Makes a faultInjector; `say` is told when a fault begins and ends. */
export function faultInjectorOf({ redis, hosts, proxies, work }: FaultTargets, say: (line: string) => void): FaultInjector {
  const busy = new Map<object, Promise<void>>();
  const counts = new Map<FaultName, number>();
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  async function on(things: readonly object[], { name, target, lastsMs }: PlannedFault, act: () => Promise<void>): Promise<void> {
    if (things.some((thing) => busy.has(thing))) return;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    say(`${name} (${target}) for ${lastsMs} ms`);
    const done = act().finally(() => things.forEach((thing) => busy.delete(thing)));
    for (const thing of things) busy.set(thing, done);
    await done;
    say(`${name} (${target}) is over`);
  }

  const killed = (thing: { kill(): Promise<void>; restart(): Promise<void> }, ms: number) => async () => {
    await thing.kill();
    await pause(ms);
    await thing.restart();
  };
  const frozen = (thing: { freeze(): void; thaw(): void }, ms: number) => async () => {
    thing.freeze();
    await pause(ms);
    thing.thaw();
  };

  async function inflict(fault: PlannedFault): Promise<void> {
    const { name, target, lastsMs, amount } = fault;
    const host = hosts[target % hosts.length];
    const proxy = proxies[target % proxies.length];
    if (!host || !proxy) throw new RangeError(`There is no host or proxy ${target}.`);
    const impaired = (change: () => unknown) =>
      on([proxy], fault, async () => {
        change();
        await pause(lastsMs);
        proxy.heal();
      });
    switch (name) {
      case 'kill a host':
        return on([host], fault, killed(host, lastsMs / 4));
      case 'freeze a host':
        return on([host], fault, frozen(host, lastsMs));
      case 'kill both hosts':
        return on(hosts, fault, async () => void (await Promise.all(hosts.map((one) => killed(one, lastsMs / 4)()))));
      case 'deploy':
      case 'deploy without grace':
        return on(hosts, fault, async () => {
          for (const [nth, one] of hosts.entries()) {
            work?.closes(nth);
            await (name === 'deploy' ? one.close() : one.kill());
            work?.gone(nth);
            await pause(lastsMs);
            await one.restart();
          }
        });
      case 'kill Redis':
        return on([redis], fault, killed(redis, lastsMs / 2));
      case 'freeze Redis':
        return on([redis], fault, frozen(redis, lastsMs));
      case 'reset':
        return on([proxy], fault, async () => void proxy.reset());
      case 'half-open for the client':
        return on([proxy], fault, async () => void proxy.halfOpen('client'));
      case 'half-open for the server':
        return on([proxy], fault, async () => void proxy.halfOpen('server'));
      case 'stall up':
        return impaired(() => proxy.impair('up', { stalled: true }));
      case 'stall down':
        return impaired(() => proxy.impair('down', { stalled: true }));
      case 'throttle':
        return impaired(() => proxy.impair('both', { bytesPerSecond: amount }));
      case 'delay':
        return impaired(() => proxy.impair('both', { delayMs: amount / 10 }));
      case 'buffer':
        return impaired(() => proxy.impair('down', { buffered: true }));
      case 'cut by reset':
        return impaired(() => proxy.impair('down', { cutAfterBytes: amount }));
      case 'cut by end':
        return impaired(() => proxy.impair('down', { cutAfterBytes: amount, cutBy: 'end' }));
      case 'refuse':
        return impaired(() => {
          proxy.refuse(true);
          proxy.reset();
        });
    }
  }

  return {
    inflict,
    counts,
    async mended() {
      await Promise.all(busy.values());
    },
  };
}

/** The same in an order of chance. */
export function shuffled<T>(random: SeededRandom, from: readonly T[]): T[] {
  const left = [...from];
  return from.map(() => left.splice(random.between(0, left.length - 1), 1)).flat();
}
