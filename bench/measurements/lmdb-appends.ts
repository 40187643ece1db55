import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import type { Bench } from './bench.ts';

const TASKS = 200;
const cases = [
  { name: '200 tasks, each awaits one after the other', tasks: TASKS, atLeast: 0.7 },
  { name: '1 task, 200 in flight', tasks: 1, atLeast: 0.5 },
] as const;

/** Facts a second, safe on the disk when they are acknowledged; nobody watches. The work is inside the process that writes. */
export async function lmdbAppends(bench: Bench): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'taskbridge-appends-'));
  const systems = {
    ours: await bench.node(join(folder, 'ours')),
    ...(bench.who('bareWs').length > 0 && { bareLmdb: await bench.bareAppends(join(folder, 'bare')) }),
  };
  const rows: Row[] = [];
  for (const { name, tasks: count, atLeast } of cases) {
    if (!bench.wants(name)) continue;
    const rates: Partial<Record<keyof typeof systems, number[]>> = {};
    const costs: Partial<Record<keyof typeof systems, number[]>> = {};
    const rounds = bench.rounds(5, 3);
    const tasksOf = new Map<string, readonly string[]>();
    // The first round of each is not counted: code is slow that has not run for a while.
    for (let round = 0; round <= rounds; round += 1)
      for (const [who, { orders }] of Object.entries(systems) as [keyof typeof systems, (typeof systems)['ours']][]) {
        const tasks = tasksOf.get(who) ?? (await orders.ask('createTasks', { count, kind: 'reported' }));
        tasksOf.set(who, tasks);
        const before = await orders.ask('cpu', null);
        const { facts, ms } = await orders.ask('append', { tasks, inFlight: TASKS, group: 1, ms: bench.quick ? 500 : 1500 });
        const cpuUs = (await orders.ask('cpu', null)) - before;
        bench.say(`appends on LMDB, ${name}, round ${round} of ${rounds}: ${who} ${readable((facts / ms) * 1000)}`);
        if (round === 0) continue;
        (rates[who] ??= []).push((facts / ms) * 1000);
        (costs[who] ??= []).push(cpuUs / facts);
      }
    rows.push({ name, unit: 'facts/s', figures: rates, bars: [{ against: 'bareLmdb', atLeast }] });
    rows.push({ name, unit: 'µs of server a fact', figures: costs });
  }
  for (const system of Object.values(systems)) await system.end();
  await rm(folder, { recursive: true, force: true });
  return rows;
}
