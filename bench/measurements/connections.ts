import { setTimeout as rest } from 'node:timers/promises';
import type { SystemName } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import type { Bench } from './bench.ts';

const cases = [
  { name: '1 viewer', viewers: 1, tasks: 1 },
  { name: '40 viewers of 1 task', viewers: 40, tasks: 1 },
  { name: '1000 viewers of 1 task', viewers: 1000, tasks: 1 },
  { name: '1000 viewers of 1000 tasks', viewers: 1000, tasks: 1000 },
] as const;

/** What `CLIENT LIST` has of a node beside the bench's own connection. */
export async function connections(bench: Bench): Promise<readonly Row[]> {
  const figures = new Map<string, Partial<Record<SystemName, readonly number[]>>>();
  for (const who of bench.who('ours', ...(bench.quick ? [] : (['socketIo'] as const)), 'original')) {
    const system = await bench.system(who);
    const load = await bench.load();
    const { port, control } = system.about;
    const counted = cases.filter(({ tasks }) => who !== 'original' || tasks === 1);
    const count = Math.max(...counted.map(({ tasks }) => tasks));
    const ids = await system.orders.ask('createTasks', { count, kind: 'handled' });
    for (const { name, viewers, tasks } of counted) {
      await load.orders.ask('open', {
        dialect: who === 'socketIo' ? 'socketIo' : 'ws',
        port,
        control,
        tasks: ids.slice(0, tasks),
        viewers,
      });
      await rest(500);
      const clients =
        String(await bench.redis.client.client('LIST'))
          .trim()
          .split('\n').length - 1;
      bench.say(`connections, ${name}: ${who} ${clients}`);
      figures.set(name, { ...figures.get(name), [who]: [clients] });
    }
    await load.end();
    await system.end();
    await bench.redis.client.flushall();
  }
  const first = figures.get(cases[0].name)?.ours ?? [];
  return [...figures].map(([name, counts], index) => ({
    name,
    unit: 'connections',
    figures: { ...counts, ...(index > 0 && { first }) },
    ...(index > 0 && { bars: [{ against: 'first', atMost: 1 }] as const }),
  }));
}
