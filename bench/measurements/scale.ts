import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import { fillOurs, type StoredKind } from '../systems/stored-tasks.ts';
import type { Bench } from './bench.ts';
import { redisMicroseconds } from './redis-time.ts';

const kinds: readonly (readonly [StoredKind, string])[] = [
  ['work', 'a queued task'],
  ['ask', 'a task that waits for an answer'],
  ['end', 'a task that has ended'],
];
/** What is said of few holds of many: bytes of the third part of the tasks beside the first, and what a create costs beside them. */
const TIMES_MAX = 1.15;
const CONNECTIONS = 50;
const SMALL_NODE_BYTES = 1024;

/** What a task costs its store at rest, and what Redis does for one that is made, and for a fact, beside few and many that rest. */
export async function scale(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const count = bench.quick ? 4000 : 20_000;
  for (const [kind, what] of kinds) {
    for (const [store, bytesOf] of [
      ['Redis', bytesInRedis],
      ['Redis with small nodes of streams', bytesInSmallNodes],
      ['LMDB', bytesInLmdb],
    ] as const) {
      if (!bench.wants(`${store}, ${what}`)) continue;
      const [first, more] = await bytesOf(bench, kind, count);
      bench.say(`scale, ${store}, ${what}: ${readable(first)} bytes of ${count}, ${readable(more)} of as many beside twice as many`);
      rows.push({ name: `${store}, ${what}, of ${count}`, unit: 'bytes', figures: { ours: [first] } });
      const of = `of ${count} more, beside ${2 * count}`;
      rows.push({
        name: `${store}, ${what}, ${of}`,
        unit: 'bytes',
        figures: { ours: [more], first: [first] },
        bars: [{ against: 'first', atMost: TIMES_MAX }],
      });
    }
  }
  if (bench.wants('beside tasks at rest')) rows.push(...(await besideMany(bench, count)));
  if (bench.wants('a fact')) rows.push(...(await facts(bench)));
  return rows;
}

/** In the second part Redis turns short sets into long ones, once: what grows in steps is no line. */
const PARTS = [1, 2, 3] as const;

function growthOf([none = 0, once = 0, twice = 0, thrice = 0]: readonly number[], count: number): readonly [first: number, more: number] {
  return [(once - none) / count, (thrice - twice) / count];
}

type BytesOf = (bench: Bench, kind: StoredKind, count: number) => Promise<readonly [first: number, more: number]>;

const bytesInRedis: BytesOf = async (bench, kind, count) => {
  const { client } = bench.redis;
  await client.flushall();
  const bytes = [await usedBytes(bench)];
  for (const times of PARTS) {
    await fillRedis(bench, times * count, { from: (times - 1) * count, of: [kind] });
    bytes.push(await usedBytes(bench));
  }
  await client.flushall();
  return growthOf(bytes, count);
};

/** A stream takes the room of its first node at once, though most tasks have few facts. */
const bytesInSmallNodes: BytesOf = async (bench, ...given) => {
  const { client } = bench.redis;
  const [, before = '4096'] = (await client.config('GET', 'stream-node-max-bytes')) as readonly string[];
  await client.config('SET', 'stream-node-max-bytes', SMALL_NODE_BYTES);
  try {
    return await bytesInRedis(bench, ...given);
  } finally {
    await client.config('SET', 'stream-node-max-bytes', before);
  }
};

const bytesInLmdb: BytesOf = async (_, kind, count) => {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-scale-'));
  try {
    const bytes = [0];
    for (const times of PARTS) {
      await fillOurs(lmdbStore({ path }), times * count, { from: (times - 1) * count, of: [kind] });
      bytes.push((await stat(join(path, 'data.mdb'))).size);
    }
    return growthOf(bytes, count);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
};

/** Tasks that are made and run to their end while others rest, queued for a type that nobody here runs. */
async function besideMany(bench: Bench, count: number): Promise<readonly Row[]> {
  const load = await bench.load();
  const figures: (readonly [resting: number, redis: number[], server: number[]])[] = [];
  for (const resting of [0, count, 4 * count]) {
    await bench.redis.client.flushall();
    await fillRedis(bench, resting, { of: ['work'] });
    const host = await bench.creating('ours', { store: 'Redis', path: '' });
    let made = 0;
    const create = async (tasks: number): Promise<readonly [redis: number, server: number]> => {
      const [redis, server] = [await redisMicroseconds(bench), await host.orders.ask('cpu', null)];
      await load.orders.ask('creates', { port: host.about.port, taskType: 'end', connections: CONNECTIONS, tasks });
      const ended = await host.orders.ask('ended', (made += tasks));
      return [((await redisMicroseconds(bench)) - redis) / tasks, (ended - server) / tasks];
    };
    await create(2000);
    const [ofRedis, ofServer]: [number[], number[]] = [[], []];
    for (let round = 0; round < bench.rounds(5, 3); round += 1) {
      const [redis, server] = await create(bench.quick ? 500 : 2000);
      ofRedis.push(redis);
      ofServer.push(server);
    }
    await host.end();
    bench.say(`scale, creates beside ${resting} at rest: ${ofRedis.map(readable).join(', ')} µs of Redis a task`);
    figures.push([resting, ofRedis, ofServer]);
  }
  await load.end();
  await bench.redis.client.flushall();
  return (['Redis', 'server'] as const).flatMap((who, at) => {
    const first = figures[0]?.[at === 0 ? 1 : 2] ?? [];
    return figures.map(([resting, ...by]) => ({
      name: `a task that is made and ends, beside ${resting} tasks at rest`,
      unit: `µs of ${who}`,
      figures: { ours: by[at] ?? [], ...(resting > 0 && { first }) },
      ...(resting > 0 && { bars: [{ against: 'first', atMost: TIMES_MAX }] as const }),
    }));
  });
}

async function facts(bench: Bench): Promise<readonly Row[]> {
  const node = await bench.node();
  const tasks = await node.orders.ask('createTasks', { count: 200, kind: 'reported' });
  const rows: Row[] = [];
  for (const [name, group] of [
    ['a fact, 200 tasks that each await', 1],
    ['a fact, 200 tasks, 16 in one report', 16],
  ] as const) {
    const append = () => node.orders.ask('append', { tasks, inFlight: tasks.length, group, ms: bench.quick ? 500 : 2000 });
    await append();
    const [redis, server]: [number[], number[]] = [[], []];
    for (let round = 0; round < bench.rounds(5, 3); round += 1) {
      const before = [await redisMicroseconds(bench), await node.orders.ask('cpu', null)] as const;
      const { facts: count } = await append();
      redis.push(((await redisMicroseconds(bench)) - before[0]) / count);
      server.push(((await node.orders.ask('cpu', null)) - before[1]) / count);
    }
    rows.push({ name, unit: 'µs of Redis', figures: { ours: redis } }, { name, unit: 'µs of server', figures: { ours: server } });
  }
  await node.end();
  await bench.redis.client.flushall();
  return rows;
}

async function fillRedis(
  bench: Bench,
  upTo: number,
  options: { readonly from?: number; readonly of: readonly StoredKind[] },
): Promise<void> {
  // The store leaves its client to whoever made it.
  const own = bench.redis.client.duplicate();
  await fillOurs(redisStore(own), upTo, options).finally(() => own.disconnect());
}

async function usedBytes({ redis }: Bench): Promise<number> {
  return numberIn(await redis.client.info('memory'), 'used_memory');
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]);
}
