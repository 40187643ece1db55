import type { OwnProcess } from '../processes/bench-processes.ts';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import type { Bench } from './bench.ts';

const TASKS_A_NODE = 50;
/** Below what a node can do, so that nothing is measured of nodes that stand in each other's way on one machine. */
const PER_SECOND_A_NODE = 400;
const COUNTS = [1, 2, 4] as const;
const TIMES_MAX = 1.15;

interface WorkingNode {
  readonly node: OwnProcess;
  readonly tasks: readonly string[];
}

/** What a fact costs a node that is one of several on one Redis, all at the same pace, beside one that is alone at work. */
export async function nodes(bench: Bench): Promise<readonly Row[]> {
  const all: WorkingNode[] = [];
  for (let n = 0; n < Math.max(...COUNTS); n += 1) {
    const node = await bench.node();
    all.push({ node, tasks: await node.orders.ask('createTasks', { count: TASKS_A_NODE, kind: 'reported' }) });
  }
  const ms = bench.quick ? 1000 : 3000;
  await costOf(all, 3000);
  const costs = new Map<number, number[]>(COUNTS.map((count) => [count, []]));
  const rounds = bench.rounds(7, 3);
  for (let round = 0; round < rounds; round += 1) {
    for (const [count, figures] of costs) figures.push(await costOf(all.slice(0, count), ms));
    const said = [...costs].map(([count, figures]) => `${count}: ${readable(figures.at(-1) ?? Number.NaN)} µs`);
    bench.say(`nodes, round ${round + 1} of ${rounds}: ${said.join(', ')}`);
  }
  for (const { node } of all) await node.end();
  await bench.redis.client.flushall();
  const first = costs.get(1) ?? [];
  return [...costs].map(([count, ours]) => ({
    name: `${count} at work, ${PER_SECOND_A_NODE} facts/s each`,
    unit: 'µs of a node a fact',
    figures: { ours, ...(count > 1 && { first }) },
    ...(count > 1 && { bars: [{ against: 'first', atMost: TIMES_MAX }] as const }),
  }));
}

/** Processor time of all of them together for one fact, in microseconds. */
async function costOf(working: readonly WorkingNode[], ms: number): Promise<number> {
  const each = await Promise.all(
    working.map(async ({ node, tasks }) => {
      const before = await node.orders.ask('cpu', null);
      const { facts } = await node.orders.ask('appendPaced', { tasks, perSecond: PER_SECOND_A_NODE, ms });
      return { facts, cpuUs: (await node.orders.ask('cpu', null)) - before };
    }),
  );
  const sumOf = (key: 'facts' | 'cpuUs'): number => each.reduce((sum, one) => sum + one[key], 0);
  return sumOf('cpuUs') / sumOf('facts');
}
