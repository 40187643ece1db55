import type { ContestantName, ContestantProcess } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import { alternate, type Bench, type Player } from './bench.ts';

const CONNECTIONS = 50;
const cases = [
  { name: 'with nothing new', facts: 0, expects: '"events":[]' },
  { name: 'with 10 facts', facts: 10, expects: '"TASK_PROGRESS"' },
] as const;

/** Polls a second that do not wait, on 50 kept connections. */
export async function polls(bench: Bench): Promise<readonly Row[]> {
  const load = await bench.load();
  const names: readonly ContestantName[] = ['ours', 'bareHttp', ...(bench.hasOriginal ? (['original'] as const) : [])];
  const logs = new Map<ContestantName, { readonly contestant: ContestantProcess; readonly paths: readonly string[] }>();
  for (const name of names) {
    const contestant = await bench.contestant(name);
    const [taskId = ''] = await contestant.orders.ask('createTasks', { count: 1, kind: 'handled' });
    await contestant.orders.ask('fill', { taskId, count: 5 });
    const before = await contestant.orders.ask('fill', { taskId, count: 10 });
    // Nothing is written, so that this is the cursor of the end.
    const end = await contestant.orders.ask('fill', { taskId, count: 0 });
    const path = (cursor: string) => `/api/v1/tasks/${taskId}/events?waitTimeoutMs=0&afterEventId=${cursor}`;
    logs.set(name, { contestant, paths: [path(end), path(before)] });
  }
  const rows: Row[] = [];
  for (const [index, { name, expects }] of cases.entries()) {
    const players: Partial<Record<ContestantName, Player>> = {};
    for (const [who, { contestant, paths }] of logs) {
      const ask = (ms: number) =>
        load.orders.ask('requests', { port: contestant.about.port, path: paths[index] ?? '', connections: CONNECTIONS, ms, expects });
      await ask(bench.quick ? 300 : 1000);
      players[who] = {
        roundsMax: who === 'original' ? 2 : Number.POSITIVE_INFINITY,
        async measure() {
          const { requests, ms } = await ask(bench.quick ? 300 : 1000);
          return (requests / ms) * 1000;
        },
      };
    }
    rows.push({ name, unit: 'requests/s', figures: await alternate(bench, `polls ${name}`, bench.quick ? 3 : 5, players) });
  }
  for (const { contestant } of logs.values()) await contestant.end();
  await load.end();
  await bench.redis.client.flushall();
  return rows;
}
