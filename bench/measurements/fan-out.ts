import type { DialectName } from '../load/dialects.ts';
import type { BurstResult } from '../load/load.ts';
import type { SystemName, SystemProcess, LoadProcess } from '../processes/bench-processes.ts';
import type { Bar, Row } from '../results/row.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

type Transport = 'ws' | 'sse';

interface Party {
  readonly system: SystemProcess;
  readonly load: LoadProcess;
}

const contestantsOf: Readonly<Record<Transport, readonly SystemName[]>> = {
  ws: ['ours', 'bareWs', 'socketIo', 'original'],
  sse: ['ours', 'bareHttp', 'bareJoined', 'original'],
};
const barsOf: Readonly<Record<Transport, readonly Bar[]>> = {
  ws: [
    { against: 'bareWs', atLeast: 0.8 },
    { against: 'socketIo', atLeast: 2.5 },
  ],
  sse: [{ against: 'bareHttp', atLeast: 0.9 }],
};
const pacedBars: readonly Bar[] = [{ against: 'bareHttp', atMost: 1.1 }];
/** A steady pace that a slow server can just keep up with. */
const perSecondOf = (viewers: number): number => (viewers > 500 ? 20 : 200);

/** One task, many viewers: facts go from a report through Redis to everybody. */
export function fanOut(transport: Transport): (bench: Bench) => Promise<readonly Row[]> {
  return async (bench) => {
    const rows: Row[] = [];
    for (const viewers of [100, 1000]) rows.push(...(await fanOutTo(bench, transport, viewers)));
    return rows;
  };
}

async function fanOutTo(bench: Bench, transport: Transport, viewers: number): Promise<readonly Row[]> {
  const parties = await assemble(bench, transport, viewers);
  const rows: Row[] = [];
  for (const window of [16, 256]) rows.push(...(await bursts(bench, transport, viewers, window, parties)));
  rows.push(...(await pace(bench, transport, viewers, parties)));
  for (const { system, load } of parties.values()) {
    await load.end();
    await system.end();
  }
  await bench.redis.client.flushall();
  return rows;
}

async function assemble(bench: Bench, transport: Transport, viewers: number): Promise<ReadonlyMap<SystemName, Party>> {
  const parties = new Map<SystemName, Party>();
  for (const name of bench.who(...contestantsOf[transport])) {
    const system = await (name === 'bareJoined' ? bench.system(name, 'joined') : bench.system(name));
    const load = await bench.load();
    const tasks = await system.orders.ask('createTasks', { count: 1, kind: 'handled' });
    const { port, control } = system.about;
    const dialect: DialectName = name === 'socketIo' ? 'socketIo' : transport;
    await load.orders.ask('open', { dialect, port, control, tasks, viewers });
    parties.set(name, { system, load });
  }
  return parties;
}

async function bursts(
  bench: Bench,
  transport: Transport,
  viewers: number,
  window: number,
  parties: ReadonlyMap<SystemName, Party>,
): Promise<readonly Row[]> {
  const name = `1 → ${viewers}, window ${window}`;
  if (!bench.wants(name)) return [];
  const measured: Partial<Record<SystemName, Measured>> = {};
  const costs: Partial<Record<SystemName, number[]>> = {};
  for (const [who, { load }] of parties) {
    // Its window of 256 to 1000 viewers takes most of a minute.
    if (who === 'original' && window * viewers > 100_000) continue;
    if (who !== 'original') await load.orders.ask('burst', { window, ms: bench.quick ? 300 : 500 });
    measured[who] = {
      roundsMax: who === 'original' ? 1 : Number.POSITIVE_INFINITY,
      async measure() {
        const { messages, ms, cpuUs }: BurstResult = await load.orders.ask('burst', { window, ms: bench.quick ? 300 : 1000 });
        (costs[who] ??= []).push(cpuUs / messages);
        return (messages / ms) * 1000;
      },
    };
  }
  const figures = await alternate(bench, `${transport} ${name}`, bench.rounds(5, 3), measured);
  return [
    { name, unit: 'messages/s', figures, bars: barsOf[transport] },
    { name, unit: 'µs of server a message', figures: costs },
  ];
}

async function pace(bench: Bench, transport: Transport, viewers: number, parties: ReadonlyMap<SystemName, Party>): Promise<readonly Row[]> {
  const perSecond = perSecondOf(viewers);
  const name = `1 → ${viewers}, ${perSecond} facts/s`;
  if (!bench.wants(name)) return [];
  const measured: Partial<Record<SystemName, Measured>> = {};
  const tails: Partial<Record<SystemName, number[]>> = {};
  for (const [who, { load }] of parties) {
    // This pace is more than it keeps up with: its facts would come ever later.
    if (who === 'original') continue;
    measured[who] = {
      async measure() {
        const { p50, p99, received, expected } = await load.orders.ask('paced', { perSecond, ms: bench.quick ? 1000 : 2000 });
        if (received !== expected) throw new Error(`${who}: ${received} of ${expected} messages arrived.`);
        (tails[who] ??= []).push(p99);
        return p50;
      },
    };
  }
  const figures = await alternate(bench, `${transport} ${name}`, bench.rounds(3, 1), measured);
  return [
    { name, unit: 'p50 ms', figures, ...(transport === 'sse' && viewers === 100 && { bars: pacedBars }) },
    { name, unit: 'p99 ms', figures: tails },
  ];
}
