import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import type { Store } from 'taskbridge/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitOf, heldBy, look, sampleTask, takeAll, wanted } from '../conformance/store/samples.ts';
import { WAIT_MS } from '../support/patience.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** All tasks lie in one bucket: there is one queue. */
const BUCKET = '3f';

let server: RedisServer;
let redis: Redis;
let prefix = '';
let prefixes = 0;
let store: Store;
let now = 0;

beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
  redis = new Redis(server.port);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  prefix = `aside-${(prefixes += 1)}`;
  store = redisStore(redis, { prefix, commandTimeoutMs: WAIT_MS });
  await store.open();
  now = await store.now();
  return () => store.close();
});

const keyOf = (name: string): string => `${prefix}:{${BUCKET}}:${name}`;

/** Creates tasks whose work is wanted, the earliest first. */
async function wantedBy(owner: string, count: number): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, i) => sampleTask({ owner, plan: wanted(now - 1000 + i) }, BUCKET));
  await Promise.all(tasks.map((task) => store.create(task)));
  return tasks.map(({ taskId }) => taskId);
}

/** Whose they are, in the order in which they are given one by one. */
async function ownersInTurn(without: readonly string[] = []): Promise<string[]> {
  const owners: string[] = [];
  for (;;) {
    const [taskId] = (await store.take(look({ readyMax: 1, without }))).ready;
    if (taskId === undefined) return owners;
    owners.push((await redis.hget(keyOf(`task:${taskId}`), 'kind'))?.split(';')[1] ?? '');
  }
}

/** How many commands the scripts run for it. */
async function commandsOf(ask: () => Promise<unknown>): Promise<number> {
  await redis.config('RESETSTAT');
  await ask();
  const calls = String(await redis.info('commandstats')).matchAll(/cmdstat_(?!evalsha|config|info)[\w|]+:calls=(\d+)/g);
  return [...calls].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('work of an owner who has enough', () => {
  it('is met once, however much it is, and not by every look', async () => {
    // The first looks find what `next` may not know.
    for (let i = 0; i < 10; i += 1) await store.take(look());
    const idle = () => store.take(look({ without: ['full'] }));
    const least = Math.min(...[await commandsOf(idle), await commandsOf(idle), await commandsOf(idle)]);
    const tasks = await wantedBy('full', 300);
    expect(await takeAll(store, look({ without: ['full'] }))).toEqual({ due: [], ready: [] });
    const then = Math.min(...[await commandsOf(idle), await commandsOf(idle), await commandsOf(idle)]);
    expect(then - least).toBeLessThan(20);
    expect((await takeAll(store)).ready).toEqual(tasks);
  });

  it('comes in turn with that of others when its owner is let in again', async () => {
    await wantedBy('full', 6);
    await takeAll(store, look({ without: ['full'] }));
    await wantedBy('other', 3);
    const owners = await ownersInTurn();
    expect(owners.slice(0, 6).sort()).toEqual(['full', 'full', 'full', 'other', 'other', 'other']);
    expect(owners.slice(6)).toEqual(['full', 'full', 'full']);
    // Who comes after all of that has not to wait for turns that nobody needed.
    await wantedBy('full', 1);
    await wantedBy('other', 1);
    expect((await ownersInTurn()).sort()).toEqual(['full', 'other']);
  });

  it('is not in the way of others who had enough, and have not any more', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `full ${i}`);
    for (const owner of many) await wantedBy(owner, 2);
    expect((await takeAll(store, look({ without: many }))).ready).toEqual([]);
    const given: string[] = [];
    // A look begins with another owner, by its time: of 40 it looks at 16.
    for (let looks = 0; looks < 400 && given.length < 2; looks += 1)
      given.push(...(await store.take(look({ without: many.slice(1) }))).ready);
    expect(given).toHaveLength(2);
    expect((await takeAll(store)).ready).toHaveLength(78);
  });

  it('is done by whoever commits to it, and leaves nothing where it stood', async () => {
    const [first = '', second = '', third = ''] = await wantedBy('full', 3);
    await takeAll(store, look({ without: ['full'] }));
    expect(await store.append(commitOf(first, 1, { plan: heldBy('a-node') }))).toBe('committed');
    // What is planned as before keeps its place.
    expect(await store.append(commitOf(second, 1, { plan: wanted(now - 999) }))).toBe('committed');
    expect(await store.take(look({ without: ['full'] }))).toEqual({ due: [], ready: [] });
    expect((await takeAll(store)).ready).toEqual([second, third]);
    for (const taskId of [second, third]) await store.append(commitOf(taskId, taskId === second ? 2 : 1, { plan: heldBy('a-node') }));
    await store.take(look());
    expect(await redis.keys(keyOf('{ready,turns}:*'))).toEqual([]);
    expect(await redis.zrangebyscore(keyOf('next'), 0, 0)).toEqual([]);
  });

  it('is found where its name in `next` was lost, when it is looked at again', async () => {
    const [taskId = ''] = await wantedBy('full', 1);
    await takeAll(store, look({ without: ['full'] }));
    expect(await redis.zrem(keyOf('next'), 'aside:sample')).toBe(1);
    expect(await store.take(look())).toEqual({ due: [], ready: [] });
    // Two minutes later.
    await redis.zadd(keyOf('wanted'), now, taskId);
    await redis.zadd(keyOf('next'), now, 'wanted');
    expect(await store.take(look())).toEqual({ due: [], ready: [taskId] });
  });

  it('is due when its time comes, all the same', async () => {
    const task = sampleTask({ owner: 'full', plan: { wakeAt: now - 1, work: { readyAt: now - 1 } } }, BUCKET);
    await store.create(task);
    expect(await store.take(look({ dueMax: 0, without: ['full'] }))).toEqual({ due: [], ready: [] });
    expect(await store.take(look({ without: ['full'] }))).toEqual({ due: [task.taskId], ready: [] });
    expect(await store.take(look())).toEqual({ due: [], ready: [] });
  });
});
