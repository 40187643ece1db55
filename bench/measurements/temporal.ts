import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import { spreadOf } from '../statistics.ts';
import type { Bench } from './bench.ts';

const WORKFLOWS = 20;
const FACTS_AT_LEAST = 0.5;
const START_AT_MOST = 1.3;

/** What a worker of Temporal reports by us beside what it could write bare, and how soon work begins beside a bare start. */
export async function temporal(bench: Bench): Promise<readonly Row[]> {
  const system = await bench.temporal();
  if (!system) {
    bench.say('TEMPORAL IS NOT MEASURED: set TEMPORAL_ADDRESS, or run scripts/setup.sh for its program.');
    return [];
  }
  const [count, ms] = bench.quick ? [10, 700] : [25, 2000];
  const begun: Pair = { ours: [], bareTemporal: [] };
  const rates: Pair = { ours: [], bareTemporal: [] };
  const costs: Pair = { ours: [], bareTemporal: [] };
  const rounds = bench.rounds(5, 3);
  // The first of each is not counted: a sandbox is made, and code is slow that has not run for a while.
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, work] of [
      ['ours', 'ours'],
      ['bareTemporal', 'bare'],
    ] as const) {
      const { median } = spreadOf(await system.orders.ask('starts', { work, count }));
      const { facts, ms: took, cpuUs } = await system.orders.ask('reports', { work, workflows: WORKFLOWS, ms });
      bench.say(
        `temporal, round ${round} of ${rounds}: ${name} begins after ${readable(median)} ms, ${readable((facts / took) * 1000)} facts/s`,
      );
      if (round === 0) continue;
      begun[name].push(median);
      rates[name].push((facts / took) * 1000);
      costs[name].push(cpuUs / facts);
    }
  await system.end();
  await bench.redis.client.flushall();
  return [
    {
      name: `${WORKFLOWS} activities, each awaits one after the other`,
      unit: 'facts/s',
      figures: rates,
      bars: [{ against: 'bareTemporal', atLeast: FACTS_AT_LEAST }],
    },
    { name: `${WORKFLOWS} activities, each awaits one after the other`, unit: 'µs of a worker a fact', figures: costs },
    {
      name: 'from the start until the first activity runs',
      unit: 'ms',
      figures: begun,
      bars: [{ against: 'bareTemporal', atMost: START_AT_MOST }],
    },
  ];
}

type Pair = Record<'ours' | 'bareTemporal', number[]>;
