import { setTimeout as rest } from 'node:timers/promises';
import type { DialectName } from '../load/dialects.ts';
import type { SystemName } from '../processes/bench-processes.ts';
import type { Bar, Row } from '../results/row.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

const VIEWERS = 1000;
/** Before it is measured, so many viewers came and went: what a process makes once is not theirs. */
const WARMING = 100;

interface Case {
  readonly dialect: DialectName;
  readonly name: string;
  readonly systems: readonly SystemName[];
  /** So much heap more than the bare one, in KB. */
  readonly heap?: Bar;
}

const cases: readonly Case[] = [
  {
    dialect: 'ws',
    name: 'WebSocket',
    systems: ['ours', 'bareWs', 'socketIo', 'original'],
    heap: { against: 'bareWs', by: 'difference', atMost: 1.5 },
  },
  { dialect: 'sse', name: 'SSE', systems: ['ours', 'bareHttp', 'original'], heap: { against: 'bareHttp', by: 'difference', atMost: 2 } },
  { dialect: 'poll', name: 'waiting poll', systems: ['ours', 'bareHttp', 'original'] },
];

/** What one of 1000 viewers of one task costs the server's process while nothing happens. */
export async function memory(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { dialect, name, systems, heap: bar } of cases) {
    const heaps: Partial<Record<SystemName, number[]>> = {};
    const measured: Partial<Record<SystemName, Measured>> = {};
    for (const who of bench.who(...systems)) {
      measured[who] = {
        roundsMax: who === 'original' ? 1 : Number.POSITIVE_INFINITY,
        async measure() {
          const { rss, heap } = await idle(bench, who, who === 'socketIo' ? 'socketIo' : dialect);
          if (who !== 'original') (heaps[who] ??= []).push(heap);
          return rss;
        },
      };
    }
    const figures = await alternate(bench, `memory, ${name}`, bench.rounds(3, 1), measured);
    rows.push({ name, unit: 'KB of memory (RSS)', figures }, { name, unit: 'KB of heap', figures: heaps, ...(bar && { bars: [bar] }) });
  }
  return rows;
}

/** A process of its own each time: memory that was used once is seldom given back. */
async function idle(bench: Bench, who: SystemName, dialect: DialectName): Promise<{ readonly rss: number; readonly heap: number }> {
  const system = await bench.system(who);
  const load = await bench.load();
  const tasks = await system.orders.ask('createTasks', { count: 1, kind: 'handled' });
  const { port, control } = system.about;
  const [taskId = ''] = tasks;
  await system.orders.ask('fill', { taskId, count: 1 });
  const audience = { dialect, port, control, tasks, cursor: await system.orders.ask('fill', { taskId, count: 0 }) };
  await load.orders.ask('open', { ...audience, viewers: WARMING });
  await rest(500);
  await load.orders.ask('close', null);
  const before = await system.orders.ask('memory', null);
  await load.orders.ask('open', { ...audience, viewers: VIEWERS });
  await rest(1000);
  const after = await system.orders.ask('memory', null);
  await load.end();
  await system.end();
  await bench.redis.client.flushall();
  return { rss: (after.rss - before.rss) / VIEWERS / 1024, heap: (after.heap - before.heap) / VIEWERS / 1024 };
}
