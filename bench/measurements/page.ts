import { setTimeout as rest } from 'node:timers/promises';
import type { SystemName, SystemProcess } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import { alternate, type Bench, type Measured } from './bench.ts';
import { pageText } from './page-text.ts';

const PER_SECOND = 1000;
const TURN_MS = 20;
const CORE_PERCENT_MAX = 20;

/** Pages in Chromium, four times as slow as this machine. */
export async function page(bench: Bench): Promise<readonly Row[]> {
  return [...(await facts(bench)), ...(await pageText(bench))];
}

/** How busy a page is that shows a task of 1000 facts a second. */
async function facts(bench: Bench): Promise<readonly Row[]> {
  const name = `${PER_SECOND} facts/s into useTaskSelector, 4 × throttled`;
  if (!bench.wants(name)) return [];
  const open = await bench.chromium();
  const measured: Partial<Record<SystemName, Measured>> = {};
  const systems: SystemProcess[] = [];
  let ends = 0;
  for (const who of bench.who('ours', 'bareWs')) {
    const system = await bench.system(who);
    systems.push(system);
    measured[who] = {
      async measure() {
        const [taskId = ''] = await system.orders.ask('createTasks', { count: 1, kind: 'handled' });
        const shown = await open(who === 'ours' ? 'taskbridge' : 'bare', system.about.port, taskId);
        const publish = (count: number, at: string) => system.orders.tell('publish', { taskId, count, at });
        // Until it is there and has been busy for a while.
        const stretch = async (ms: number): Promise<void> => {
          const end = `end-${(ends += 1)}`;
          const begun = performance.now();
          for (let told = 0, after = 0; after < ms; after = performance.now() - begun) {
            const due = Math.floor((after / 1000) * PER_SECOND);
            if (due > told) publish(due - told, 'now');
            told = Math.max(told, due);
            await rest(TURN_MS);
          }
          publish(1, end);
          await shown.shows(`@${end}@`);
        };
        // The bare one may miss what is told while it subscribes.
        let isThere = false;
        const begins = shown.shows('@begin@').then(() => (isThere = true));
        while (!isThere) {
          publish(1, 'begin');
          await Promise.race([begins, rest(500)]);
        }
        await stretch(1000);
        const [busy, begun] = [await shown.busyMs(), performance.now()];
        await stretch(bench.quick ? 1500 : 4000);
        const percent = (100 * ((await shown.busyMs()) - busy)) / (performance.now() - begun);
        await shown.close();
        return percent;
      },
    };
  }
  const figures = await alternate(bench, name, bench.rounds(5, 2), measured);
  for (const system of systems) await system.end();
  await bench.redis.client.flushall();
  return [{ name, unit: '% of a core', figures, bars: [{ atMost: CORE_PERCENT_MAX }] }];
}
