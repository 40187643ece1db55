import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import { fillBare, fillOurs } from '../systems/stored-tasks.ts';
import type { Bench } from './bench.ts';

/** Tasks that are queued, suspended and ended; a third of each. */
const TASKS = 100_000;
/** What is stored does not keep a host from listening: so much later than a process of the same imports, in milliseconds. */
const LATER_MS_MAX = 1000;
/** The host's first moments, in milliseconds. */
const FIRST_MS = 30_000;

interface Figures {
  readonly listened: number[];
  readonly bareListened: number[];
  readonly stall: number[];
  readonly rate: number[];
  readonly bareRate: number[];
}

/** A host that is started where another one left many tasks: until it listens, how long it stands, and until it has worked them off. */
export async function restart(bench: Bench): Promise<readonly Row[]> {
  const each = Math.floor((bench.quick ? TASKS / 10 : TASKS) / 3);
  const rows: Row[] = [];
  if (bench.wants('LMDB')) rows.push(...rowsOf('LMDB', each, await onLmdb(bench, each)));
  if (bench.wants('Redis')) rows.push(...rowsOf('Redis', each, await onRedis(bench, each)));
  return rows;
}

async function onLmdb(bench: Bench, each: number): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'taskbridge-bench-'));
  const [full, bare, path] = [join(folder, 'full'), join(folder, 'bare'), join(folder, 'run')];
  const copied = async (from: string): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    await cp(from, path, { recursive: true });
  };
  try {
    await fillOurs(lmdbStore({ path: full }), each);
    await fillBare(bare, 2 * each);
    const figures = await inRounds(
      bench,
      'LMDB',
      each,
      path,
      () => copied(full),
      async () => {
        await copied(bare);
        const queue = await bench.bareQueue(path);
        const ms = (await queue.orders.ask('workedOffMs', null)) - (await queue.orders.ask('listenedMs', null));
        await queue.end();
        return ms;
      },
    );
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function onRedis(bench: Bench, each: number): Promise<Figures> {
  const { client } = bench.redis;
  try {
    return await inRounds(bench, 'Redis', each, undefined, async () => {
      await client.flushall();
      // The store leaves its client to whoever made it.
      const own = client.duplicate();
      await fillOurs(redisStore(own), each).finally(() => own.disconnect());
    });
  } finally {
    await client.flushall();
  }
}

async function inRounds(
  bench: Bench,
  what: string,
  each: number,
  path: string | undefined,
  fill: () => Promise<void>,
  bare?: () => Promise<number>,
): Promise<Figures> {
  const figures: Figures = { listened: [], bareListened: [], stall: [], rate: [], bareRate: [] };
  const rounds = bench.rounds(3, 1);
  for (let round = 0; round < rounds; round += 1) {
    await fill();
    const imports = await bench.workHost({ path: 'none' });
    figures.bareListened.push(await imports.orders.ask('listenedMs', null));
    await imports.end();
    const host = await bench.workHost({ ...(path !== undefined && { path }), left: each });
    const listened = await host.orders.ask('listenedMs', null);
    figures.listened.push(listened);
    figures.stall.push(await host.orders.ask('stallMs', FIRST_MS));
    // All of them take minutes: the last round waits for that.
    const isLast = round === rounds - 1;
    if (isLast) figures.rate.push((2 * each) / (((await host.orders.ask('workedOffMs', null)) - listened) / 1000));
    await host.end();
    if (isLast && bare) figures.bareRate.push((2 * each) / ((await bare()) / 1000));
    const last = (values: readonly number[]): string => readable(values.at(-1) ?? Number.NaN);
    bench.say(
      `restart on ${what}, round ${round + 1} of ${rounds}: listens after ${last(figures.listened)} ms (imports ${last(figures.bareListened)}), ` +
        `stands for ${last(figures.stall)} ms${isLast ? `, ${last(figures.rate)} tasks/s${bare ? ` (bare ${last(figures.bareRate)})` : ''}` : ''}`,
    );
  }
  return figures;
}

function rowsOf(what: string, each: number, { listened, bareListened, stall, rate, bareRate }: Figures): Row[] {
  return [
    {
      name: `${what}, ${3 * each} tasks left: from the start of the process until it listens`,
      unit: 'ms',
      figures: { ours: listened, bareStart: bareListened },
      bars: [{ against: 'bareStart', by: 'difference', atMost: LATER_MS_MAX }],
    },
    { name: `${what}: longest stall of the first 30 s`, unit: 'ms', figures: { ours: stall } },
    {
      name: `${what}: ${2 * each} of them run to their end or ask again`,
      unit: 'tasks/s',
      figures: { ours: rate, ...(bareRate.length > 0 && { bareLmdb: bareRate }) },
    },
  ];
}
