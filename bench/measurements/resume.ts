import type { ContestantName } from '../processes/bench-processes.ts';
import type { Bar, Figures, Row } from '../results/row.ts';
import { spreadOf } from '../statistics.ts';
import { alternate, type Bench, type Player } from './bench.ts';

const MISSED = 1000;
const bars: readonly Bar[] = [{ against: 'bareWs', atMost: 1.2 }];

/** Clients that were away while 1000 facts were written come back over WebSocket: the time until the last one has them all. */
export async function resume(bench: Bench): Promise<readonly Row[]> {
  const load = await bench.load();
  const names: readonly ContestantName[] = ['ours', 'bareWs', ...(bench.hasOriginal ? (['original'] as const) : [])];
  // A log that keeps more than was missed; the original's keeps a tenth more than it is told, more or less.
  const logs = new Map(
    await Promise.all(
      names.map(async (name) => {
        const contestant = await bench.contestant(name, '2000');
        const [taskId = ''] = await contestant.orders.ask('createTasks', { count: 1, kind: 'handled' });
        await contestant.orders.ask('fill', { taskId, count: 20 });
        const cursor = await contestant.orders.ask('fill', { taskId, count: MISSED });
        return [name, { contestant, taskId, cursor }] as const;
      }),
    ),
  );
  const socketIo = await bench.contestant('socketIo');

  async function measure(clients: number, times: number): Promise<Figures> {
    const players: Partial<Record<ContestantName, Player>> = {};
    for (const [name, { contestant, taskId, cursor }] of logs) {
      const { port } = contestant.about;
      const once = () => load.orders.ask('resume', { dialect: 'ws', port, taskId, cursor, clients, missed: MISSED });
      const repeats = name === 'original' ? 1 : times;
      if (name !== 'original') await once();
      players[name] = {
        roundsMax: name === 'original' ? 1 : Number.POSITIVE_INFINITY,
        measure: async () => medianOf(repeats, once),
      };
    }
    const { port, control } = socketIo.about;
    players.socketIo = {
      roundsMax: 2,
      async measure() {
        const [taskId = ''] = await socketIo.orders.ask('createTasks', { count: 1, kind: 'handled' });
        return load.orders.ask('recover', { port, control, taskId, clients, missed: MISSED });
      },
    };
    return alternate(bench, `resume by ${clients}`, bench.quick ? 3 : 7, players);
  }

  const rows: Row[] = [
    { name: '1 client', unit: 'ms', figures: await measure(1, 15), bars },
    { name: '100 clients at once', unit: 'ms', figures: await measure(100, 2), bars },
  ];
  for (const { contestant } of logs.values()) await contestant.end();
  await socketIo.end();
  await load.end();
  await bench.redis.client.flushall();
  return rows;
}

async function medianOf(times: number, once: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let i = 0; i < times; i += 1) figures.push(await once());
  return spreadOf(figures).median;
}
