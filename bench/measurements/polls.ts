import type { SystemName, SystemProcess } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

const CONNECTIONS = 50;
const cases = [
  { name: 'a poll with nothing new', expects: '"events":[]', atLeast: 0.5 },
  { name: 'a poll with 10 facts', expects: '"TASK_PROGRESS"', atLeast: 0.6 },
  { name: 'a snapshot', expects: '"lastEventId"', atLeast: 0.5 },
] as const;

/** Polls that do not wait, and snapshots, on 50 kept connections. */
export async function polls(bench: Bench): Promise<readonly Row[]> {
  const load = await bench.load();
  const logs = new Map<SystemName, { readonly system: SystemProcess; readonly paths: readonly string[] }>();
  for (const name of bench.who('ours', 'bareHttp', 'original')) {
    const system = await bench.system(name);
    const [taskId = ''] = await system.orders.ask('createTasks', { count: 1, kind: 'handled' });
    await system.orders.ask('fill', { taskId, count: 5 });
    const before = await system.orders.ask('fill', { taskId, count: 10 });
    // Nothing is written, so that this is the cursor of the end.
    const end = await system.orders.ask('fill', { taskId, count: 0 });
    const path = (cursor: string) => `/api/v1/tasks/${taskId}/events?waitTimeoutMs=0&afterEventId=${cursor}`;
    // The original has no snapshots.
    logs.set(name, { system, paths: [path(end), path(before), ...(name === 'original' ? [] : [`/api/v1/tasks/${taskId}`])] });
  }
  const rows: Row[] = [];
  for (const [index, { name, expects, atLeast }] of cases.entries()) {
    if (!bench.wants(name)) continue;
    const measured: Partial<Record<SystemName, Measured>> = {};
    const costs: Partial<Record<SystemName, number[]>> = {};
    for (const [who, { system, paths }] of logs) {
      const path = paths[index];
      if (path === undefined) continue;
      const ask = (ms: number) => load.orders.ask('requests', { port: system.about.port, path, connections: CONNECTIONS, ms, expects });
      await ask(bench.quick ? 300 : 1000);
      measured[who] = {
        roundsMax: who === 'original' ? 2 : Number.POSITIVE_INFINITY,
        async measure() {
          const before = await system.orders.ask('cpu', null);
          const { requests, ms } = await ask(bench.quick ? 300 : 1000);
          (costs[who] ??= []).push(((await system.orders.ask('cpu', null)) - before) / requests);
          return (requests / ms) * 1000;
        },
      };
    }
    const figures = await alternate(bench, name, bench.rounds(5, 3), measured);
    rows.push(
      { name, unit: 'requests/s', figures, bars: [{ against: 'bareHttp', atLeast }] },
      { name, unit: 'µs of server a request', figures: costs },
    );
  }
  for (const { system } of logs.values()) await system.end();
  await load.end();
  await bench.redis.client.flushall();
  return rows;
}
