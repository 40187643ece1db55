import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkProcess } from '../processes/bench-processes.ts';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import { spreadOf } from '../statistics.ts';
import type { Stretch } from '../systems/work-system.ts';
import type { Bench } from './bench.ts';

const TASKS = 10_000;
/** Longer than a lease and an interval of all that is done in turns. */
const WATCHED_MS = 40_000;
/** What was just made has an end: the collector, the last looks. */
const SETTLED_MS = 10_000;
const CORE_PERCENT_MAX = 2;
const STALL_MS_MAX = 50;

/** What hosts do while all their tasks wait for people, their handlers in `task.suspend`. */
export async function waiting(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-bench-'));
  try {
    if (bench.wants('LMDB')) rows.push(...(await measured(bench, 'LMDB', () => Promise.all([bench.workHost({ path })]))));
  } finally {
    await rm(path, { recursive: true, force: true });
  }
  if (!bench.wants('Redis, two nodes')) return rows;
  rows.push(...(await measured(bench, 'Redis, two nodes', () => Promise.all([bench.workHost({}), bench.workHost({})]))));
  await bench.redis.client.flushall();
  return rows;
}

async function measured(bench: Bench, what: string, start: () => Promise<readonly WorkProcess[]>): Promise<Row[]> {
  const hosts = await start();
  const rounds = bench.rounds(3, 1);
  const nothing = await watched(bench, `${what}, nothing waits`, hosts, rounds);
  await Promise.all(hosts.map((host) => host.orders.ask('create', { kind: 'ask', count: TASKS / hosts.length, inputBytes: 100 })));
  const many = await watched(bench, `${what}, ${TASKS} wait`, hosts, rounds);
  await Promise.all(hosts.map((host) => host.end()));
  const name = `${what}, ${TASKS} tasks wait`;
  const { median: idle } = spreadOf(nothing.map(({ corePercent }) => corePercent));
  return [
    {
      name,
      unit: '% of a core a node',
      figures: { ours: many.map(({ corePercent }) => corePercent), first: nothing.map(({ corePercent }) => corePercent) },
    },
    {
      name: `${name}, beyond what these hosts take anyway`,
      unit: '% of a core a node',
      figures: { ours: many.map(({ corePercent }) => corePercent - idle) },
      bars: [{ atMost: CORE_PERCENT_MAX }],
    },
    {
      name,
      unit: 'ms of the longest stall',
      figures: { ours: many.map(({ stallMs }) => stallMs), first: nothing.map(({ stallMs }) => stallMs) },
      bars: [{ atMost: STALL_MS_MAX }],
    },
  ];
}

/** The worst node of each round. */
async function watched(bench: Bench, what: string, hosts: readonly WorkProcess[], rounds: number): Promise<readonly Stretch[]> {
  await Promise.all(hosts.map((host) => host.orders.ask('rest', SETTLED_MS)));
  const stretches: Stretch[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const each = await Promise.all(hosts.map((host) => host.orders.ask('rest', WATCHED_MS)));
    const worst = {
      corePercent: Math.max(...each.map(({ corePercent }) => corePercent)),
      stallMs: Math.max(...each.map(({ stallMs }) => stallMs)),
    };
    stretches.push(worst);
    bench.say(`waiting, ${what}, round ${round + 1} of ${rounds}: ${readable(worst.corePercent)} %, ${readable(worst.stallMs)} ms`);
  }
  return stretches;
}
