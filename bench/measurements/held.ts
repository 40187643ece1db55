import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import type { Bench } from './bench.ts';

/** So many are made, then as many again: what a process needs once is in both. */
const TASKS = 2500;
/** Before it is measured, so many came: what grows in steps has taken its first ones. */
const WARMING = 500;

interface Case {
  readonly kind: 'work' | 'ask';
  readonly name: string;
  readonly inputKiB: number;
  /** KiB of heap, those of an input that a handler holds among them. */
  readonly atMost: number;
}

const cases: readonly Case[] = [
  { kind: 'work', name: 'a queued task', inputKiB: 0, atMost: 2 },
  { kind: 'work', name: 'a queued task with an input of 16 KiB', inputKiB: 16, atMost: 2 },
  { kind: 'ask', name: 'a suspended task and its handler', inputKiB: 0, atMost: 8 },
  { kind: 'ask', name: 'a suspended task and its handler, which holds an input of 16 KiB', inputKiB: 16, atMost: 8 + 16 },
];

/** What a task that waits costs the heap of its host: the difference between so many of them and twice as many. */
export async function held(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const store of ['LMDB', 'Redis'] as const) {
    for (const { kind, name: what, inputKiB, atMost } of cases) {
      const name = `${store}, ${what}`;
      if (!bench.wants(name)) continue;
      const figures: number[] = [];
      for (let round = 0; round < bench.rounds(3, 1); round += 1) figures.push(await heapOf(bench, store, kind, inputKiB * 1024));
      bench.say(`held, ${name}: ${figures.map(readable).join(', ')} KiB`);
      rows.push({ name, unit: 'KiB of heap', figures: { ours: figures }, bars: [{ atMost }] });
    }
  }
  return rows;
}

/** In KiB. A process of its own each time. */
async function heapOf(bench: Bench, store: 'LMDB' | 'Redis', kind: Case['kind'], inputBytes: number): Promise<number> {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-bench-'));
  const host = await bench.workHost({ ...(store === 'LMDB' && { path }), slots: kind === 'work' ? 1 : 100 });
  try {
    await host.orders.ask('create', { kind, count: WARMING, inputBytes });
    await host.orders.ask('create', { kind, count: TASKS, inputBytes });
    const once = await host.orders.ask('memory', null);
    await host.orders.ask('create', { kind, count: TASKS, inputBytes });
    const twice = await host.orders.ask('memory', null);
    return (twice.heap - once.heap) / TASKS / 1024;
  } finally {
    await host.end();
    await rm(path, { recursive: true, force: true });
    await bench.redis.client.flushall();
  }
}
