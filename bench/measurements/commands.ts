import type { CreatingProcess, SystemName } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import type { AskedTask } from '../systems/creating-system.ts';
import { alternate, type Bench, type Measured } from './bench.ts';

const CONNECTIONS = 50;
/** Of each kind, before any is counted: code is slow that has not run for a while. */
const WARM = 1500;

interface Case {
  readonly name: string;
  readonly expects: string;
  requestOf(task: AskedTask): { readonly path: string; readonly body: string };
}

const cases: readonly Case[] = [
  {
    name: 'an answer, and the end that it brings',
    expects: '"ACCEPTED"',
    requestOf: ({ taskId, suspendId }) => ({
      path: `/api/v1/tasks/${taskId}/actions`,
      body: JSON.stringify({ clientActionId: `of-${taskId}`, suspendId, actionType: 'yes', payload: { text: 'hello' } }),
    }),
  },
  {
    name: 'a cancel, and the end that it brings',
    expects: '"status"',
    requestOf: ({ taskId }) => ({ path: `/api/v1/tasks/${taskId}/cancel`, body: JSON.stringify({ reason: 'No longer wanted.' }) }),
  },
];

/** Tasks whose handlers wait for an answer, on Redis, are answered or cancelled over HTTP on 50 kept connections, and end by it. */
export async function commands(bench: Bench): Promise<readonly Row[]> {
  const load = await bench.load();
  const systems = new Map<SystemName, CreatingProcess>();
  for (const who of bench.who('ours', 'bareHttp')) systems.set(who, await bench.creating(who, { store: 'Redis', path: '' }));
  const rows: Row[] = [];
  const ended = new Map<SystemName, number>();
  for (const { name, expects, requestOf } of cases) {
    if (!bench.wants(name)) continue;
    const measured: Partial<Record<SystemName, Measured>> = {};
    const costs: Partial<Record<SystemName, number[]>> = {};
    for (const [who, system] of systems) {
      const send = async (count: number): Promise<{ readonly perSecond: number; readonly cpuUs: number }> => {
        const requests = (await system.orders.ask('ask', count)).map(requestOf);
        const before = await system.orders.ask('cpu', null);
        const { port } = system.about;
        const took = await load.orders.ask('posts', { port, connections: CONNECTIONS, requests, status: '202', expects });
        const all = (ended.get(who) ?? 0) + count;
        ended.set(who, all);
        const cpu = await system.orders.ask('ended', all);
        return { perSecond: (count / took) * 1000, cpuUs: (cpu - before) / count };
      };
      await send(WARM);
      measured[who] = {
        async measure() {
          const { perSecond, cpuUs } = await send(bench.quick ? 300 : 1000);
          (costs[who] ??= []).push(cpuUs);
          return perSecond;
        },
      };
    }
    const figures = await alternate(bench, name, bench.rounds(5, 3), measured);
    rows.push({ name, unit: 'requests/s', figures, bars: [{ against: 'bareHttp', atLeast: 0.5 }] });
    rows.push({ name, unit: 'µs of server a task', figures: costs });
  }
  for (const system of systems.values()) await system.end();
  await load.end();
  await bench.redis.client.flushall();
  return rows;
}
