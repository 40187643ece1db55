import type { SystemName, SystemProcess } from '../processes/bench-processes.ts';
import type { Bar, Row } from '../results/row.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

const TASKS = 200;
/** Each awaits its own: as much of bare as here, and more than a peer. */
const awaited: readonly Bar[] = [
  { against: 'bareWs', atLeast: 0.7 },
  { against: 'socketIo', atLeast: 1 },
];
const grouped: readonly Bar[] = [{ against: 'bareWs', atLeast: 0.6 }];

interface Case {
  readonly name: string;
  readonly tasks: number;
  readonly inFlight: number;
  readonly group: number;
  readonly bars?: readonly Bar[];
}

const cases: readonly Case[] = [
  { name: '1 task, one awaited after the other', tasks: 1, inFlight: 1, group: 1, bars: awaited },
  { name: '200 tasks, each awaits one after the other', tasks: TASKS, inFlight: TASKS, group: 1, bars: awaited },
  { name: '1 task, 200 in flight', tasks: 1, inFlight: 200, group: 1, bars: [{ against: 'bareWs', atLeast: 0.5 }] },
  { name: '1 task, 16 in one report, 4 reports in flight', tasks: 1, inFlight: 4, group: 16 },
  { name: '200 tasks, 16 in one report', tasks: TASKS, inFlight: TASKS, group: 16, bars: grouped },
];

/** Facts a second, written and acknowledged; nobody watches. The work is inside the server's process. */
export async function appends(bench: Bench): Promise<readonly Row[]> {
  const ms = bench.quick ? 300 : 1000;
  const processes = new Map<SystemName, { readonly process: SystemProcess; readonly tasks: readonly string[] }>();
  for (const name of bench.who('ours', 'bareWs', 'socketIo', 'original')) {
    const process = await bench.system(name);
    processes.set(name, { process, tasks: await process.orders.ask('createTasks', { count: TASKS, kind: 'reported' }) });
  }
  const rows: Row[] = [];
  for (const { name, tasks: count, inFlight, group, bars } of cases) {
    if (!bench.wants(name)) continue;
    const measured: Partial<Record<SystemName, Measured>> = {};
    const costs: Partial<Record<SystemName, number[]>> = {};
    for (const [system, { process, tasks }] of processes) {
      // They append one by one.
      if (group > 1 && system !== 'ours' && system !== 'bareWs') continue;
      const append = (duration: number) => process.orders.ask('append', { tasks: tasks.slice(0, count), inFlight, group, ms: duration });
      await append(ms);
      measured[system] = {
        roundsMax: system === 'original' ? 2 : Number.POSITIVE_INFINITY,
        async measure() {
          const before = await process.orders.ask('cpu', null);
          const { facts, ms: took } = await append(ms);
          (costs[system] ??= []).push(((await process.orders.ask('cpu', null)) - before) / facts);
          return (facts / took) * 1000;
        },
      };
    }
    const figures = await alternate(bench, name, bench.rounds(5, 3), measured);
    rows.push({ name, unit: 'facts/s', figures, ...(bars && { bars }) }, { name, unit: 'µs of server a fact', figures: costs });
  }
  for (const { process } of processes.values()) await process.end();
  await bench.redis.client.flushall();
  return rows;
}
