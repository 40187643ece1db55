import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SystemName } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import type { CreatedWork, CreatingStore } from '../systems/creating-system.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

const CONNECTIONS = 50;
/** Tasks that are made before any is counted: code is slow that has not run for a while. */
const WARM = 3000;

interface Case {
  readonly store: CreatingStore;
  readonly work: CreatedWork;
  readonly name: string;
  readonly atLeast?: number;
}

const cases: readonly Case[] = [
  { store: 'memory', work: 'end', name: 'memory, a handler that returns at once' },
  { store: 'LMDB', work: 'end', name: 'LMDB, a handler that returns at once', atLeast: 0.5 },
  { store: 'Redis', work: 'end', name: 'Redis, a handler that returns at once', atLeast: 0.5 },
  { store: 'Redis', work: 'facts', name: 'Redis, two facts, each awaited', atLeast: 0.4 },
];

/** Tasks that are created over HTTP on 50 kept connections, started and run to their end; bare ones are written, and that is all. */
export async function creates(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const load = await bench.load();
  for (const each of cases) if (bench.wants(each.name)) rows.push(...(await measured(bench, each, load)));
  await load.end();
  await bench.redis.client.flushall();
  return rows;
}

async function measured(
  bench: Bench,
  { store, work, name, atLeast }: Case,
  load: Awaited<ReturnType<Bench['load']>>,
): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'taskbridge-creates-'));
  const systems = new Map<SystemName, Awaited<ReturnType<Bench['creating']>>>();
  const rates: Partial<Record<SystemName, Measured>> = {};
  const costs: Partial<Record<SystemName, number[]>> = {};
  for (const who of bench.who('ours', 'bareHttp')) {
    const system = await bench.creating(who, { store, path: join(folder, who) });
    systems.set(who, system);
    let tasks = 0;
    let before = 0;
    const create = async (count: number): Promise<{ readonly perSecond: number; readonly cpuUs: number }> => {
      const took = await load.orders.ask('creates', { port: system.about.port, taskType: work, connections: CONNECTIONS, tasks: count });
      tasks += count;
      const cpu = await system.orders.ask('ended', tasks);
      const cpuUs = (cpu - before) / count;
      before = cpu;
      return { perSecond: (count / took) * 1000, cpuUs };
    };
    await create(WARM);
    rates[who] = {
      async measure() {
        const { perSecond, cpuUs } = await create(bench.quick ? 500 : 2000);
        (costs[who] ??= []).push(cpuUs);
        return perSecond;
      },
    };
  }
  const figures = await alternate(bench, `creates on ${name}`, bench.rounds(5, 3), rates);
  for (const system of systems.values()) await system.end();
  await rm(folder, { recursive: true, force: true });
  return [
    { name, unit: 'tasks/s', figures, ...(atLeast !== undefined && { bars: [{ against: 'bareHttp', atLeast }] }) },
    { name, unit: 'µs of server a task', figures: costs },
  ];
}
