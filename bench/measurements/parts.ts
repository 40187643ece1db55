import type { PartProcess } from '../processes/bench-processes.ts';
import type { Figures, Row } from '../results/row.ts';
import type { PartLoad } from '../systems/part-writing.ts';
import { alternate, type Bench } from './bench.ts';
import { redisMicroseconds } from './redis-time.ts';

const PARTS = 200;
/** 100 tokens a second and part, flushed every 50 ms. */
const TOKENS = 5;

/** What the store alone needs for text that grows, beside a fact for each token and beside a bare script. */
export async function parts(bench: Bench): Promise<readonly Row[]> {
  const rounds = bench.quick ? 3 : 5;
  const ms = bench.quick ? 300 : 1000;
  const processes = new Map<'ours' | 'bareWs', PartProcess>();
  for (const who of bench.who('ours', 'bareWs')) processes.set(who, await bench.parts(who));
  const rows: Row[] = [];

  async function measured(name: string, measure: (process: PartProcess) => Promise<number>): Promise<Figures> {
    for (const process of processes.values()) await measure(process);
    const each = [...processes].map(([who, process]) => [who, { measure: () => measure(process) }] as const);
    return alternate(bench, name, rounds, Object.fromEntries(each));
  }
  /** Of the process and of Redis together. */
  async function cost(process: PartProcess, method: 'flush' | 'facts', load: PartLoad): Promise<number> {
    const cpu = async (): Promise<number> => (await process.orders.ask('cpu', null)) + (await redisMicroseconds(bench));
    const before = await cpu();
    const { tokens } = await process.orders.ask(method, load);
    return ((await cpu()) - before) / tokens;
  }

  const load = { parts: PARTS, tokens: TOKENS, ms };
  const facts = await measured('a fact for each token', (process) => cost(process, 'facts', { ...load, tokens: 1 }));
  rows.push({ name: `${PARTS} tasks, a fact for each token`, unit: 'µs of the process and Redis a token', figures: facts });
  const flushes = await measured('flushes of 5 tokens', (process) => cost(process, 'flush', load));
  rows.push({
    name: `${PARTS} parts, flushes of ${TOKENS} tokens`,
    unit: 'µs of the process and Redis a token',
    figures: { ...flushes, ...(facts.ours && { first: facts.ours }) },
    bars: [{ against: 'first', atMost: 0.1 }],
  });
  const rates = await measured('flushes a second', async (process) => {
    const { tokens, ms: took } = await process.orders.ask('flush', load);
    return ((tokens / TOKENS) * 1000) / took;
  });
  rows.push({ name: `${PARTS} parts, each awaits one after the other`, unit: 'flushes/s', figures: rates });
  for (const process of processes.values()) await process.end();
  await bench.redis.client.flushall();
  return rows.filter(({ name }) => bench.wants(name));
}
