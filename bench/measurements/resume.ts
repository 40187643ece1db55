import type { LoadProcess, SystemName, SystemProcess } from '../processes/bench-processes.ts';
import type { Bar, Figures, Row } from '../results/row.ts';
import { spreadOf } from '../statistics.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

const MISSED = 1000;
const barsOf = (atMost: number): readonly Bar[] => [{ against: 'bareWs', atMost }];

/** Clients that were away while 1000 facts were written come back over WebSocket: the time until the last one has them all. */
export async function resume(bench: Bench): Promise<readonly Row[]> {
  const load = await bench.load();
  // A log that keeps more than was missed; the original's keeps a tenth more than it is told, more or less.
  const logs = new Map(
    await Promise.all(
      bench.who('ours', 'bareWs', 'original').map(async (name) => {
        const system = await bench.system(name, '2000');
        const [taskId = ''] = await system.orders.ask('createTasks', { count: 1, kind: 'handled' });
        await system.orders.ask('fill', { taskId, count: 20 });
        const cursor = await system.orders.ask('fill', { taskId, count: MISSED });
        return [name, { system, taskId, cursor }] as const;
      }),
    ),
  );
  const socketIo = bench.who('socketIo').length > 0 ? await bench.system('socketIo') : undefined;

  async function measure(clients: number, times: number): Promise<Figures> {
    const measured: Partial<Record<SystemName, Measured>> = {};
    for (const [name, { system, taskId, cursor }] of logs) {
      const { port } = system.about;
      const once = () => load.orders.ask('resume', { dialect: 'ws', port, taskId, cursor, clients, missed: MISSED });
      const repeats = name === 'original' ? 1 : times;
      if (name !== 'original') await once();
      measured[name] = {
        roundsMax: name === 'original' ? 1 : Number.POSITIVE_INFINITY,
        measure: async () => medianOf(repeats, once),
      };
    }
    if (socketIo) measured.socketIo = { roundsMax: 2, measure: () => recovered(socketIo, load, clients) };
    return alternate(bench, `resume by ${clients}`, bench.rounds(7, 3), measured);
  }

  const rows: Row[] = [
    { name: '1 client', unit: 'ms', figures: await measure(1, 15), bars: barsOf(1.1) },
    { name: '100 clients at once', unit: 'ms', figures: await measure(100, 2), bars: barsOf(1.2) },
  ];
  for (const { system } of logs.values()) await system.end();
  await socketIo?.end();
  await load.end();
  await bench.redis.client.flushall();
  return rows;
}

async function recovered({ about: { port, control }, orders }: SystemProcess, load: LoadProcess, clients: number): Promise<number> {
  const [taskId = ''] = await orders.ask('createTasks', { count: 1, kind: 'handled' });
  return load.orders.ask('recover', { port, control, taskId, clients, missed: MISSED });
}

async function medianOf(times: number, once: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let i = 0; i < times; i += 1) figures.push(await once());
  return spreadOf(figures).median;
}
