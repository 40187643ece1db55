import type { SystemProcess } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import type { Bench } from './bench.ts';
import { readable } from '../results/markdown.ts';

/** As many appends at each length, spread over so many logs that none grows by more than a tenth or by ten. */
const cases = [
  { length: 10, logs: 100, each: 10 },
  { length: 1_000, logs: 10, each: 100 },
  { length: 100_000, logs: 1, each: 1_000 },
] as const;
/** A ratio to the first that still counts as flat. */
const FLAT = 1.2;

/** What one append costs on logs of different lengths, one awaited after the other. */
export async function logLength(bench: Bench): Promise<readonly Row[]> {
  const rounds = bench.rounds(5, 3);
  const system = await bench.system('ours', '10000000');
  const long = await filled(system, 1, 100_000);
  const costs = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { length, logs, each }] of cases.entries()) {
      const tasks = length === 100_000 ? long : await filled(system, logs, length);
      costs[index]?.push(((await system.orders.ask('appendEach', { tasks, each })) * 1000) / (logs * each));
    }
    bench.say(`log length, round ${round + 1} of ${rounds}: ${costs.map((figures) => `${readable(figures.at(-1) ?? 0)} µs`).join(', ')}`);
  }
  await system.end();
  await bench.redis.client.flushall();
  const [shortest = []] = costs;
  return cases.map(({ length }, index) => ({
    name: `${length} facts in the log`,
    unit: 'µs an append',
    figures: { ours: costs[index] ?? [], ...(index > 0 && { first: shortest }) },
    ...(index > 0 && { bars: [{ against: 'first', atMost: FLAT }] as const }),
  }));
}

async function filled({ orders }: SystemProcess, logs: number, length: number): Promise<readonly string[]> {
  const tasks = await orders.ask('createTasks', { count: logs, kind: 'reported' });
  for (const taskId of tasks) await orders.ask('fill', { taskId, count: length });
  return tasks;
}
