import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redisStore } from '../../adapters/redis/index.ts';
import type { Store } from '../../server/index.ts';
import { commitOf, factsOf, noLimit, sampleTask } from '../conformance/store/samples.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
let redis: Redis;
let store: Store;
beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
  redis = new Redis(server.port);
  store = redisStore(redis);
  await store.open();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** A task with three facts. */
async function made(): Promise<string> {
  const task = sampleTask();
  await store.create(task);
  await store.append(commitOf(task.taskId, 1, { facts: factsOf(task.taskId, 1, 3) }));
  return task.taskId;
}

/** How many scripts are run for it. */
async function scriptsOf(ask: () => Promise<unknown>): Promise<number> {
  await redis.config('RESETSTAT');
  await ask();
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}

test('who asks for the same in one turn is given one read', async () => {
  const taskId = await made();
  await Promise.all([store.read(taskId, 2, noLimit), store.load(taskId)]);
  const three = [0, 1, 2];
  const pages = await Promise.all(three.map(() => store.read(taskId, 2, noLimit)));
  expect(new Set(pages).size).toBe(1);
  expect(pages[0]?.entries).toHaveLength(2);
  expect(await scriptsOf(() => Promise.all(three.map(() => store.read(taskId, 2, noLimit))))).toBe(1);
  expect(await scriptsOf(() => Promise.all(three.map(() => store.load(taskId))))).toBe(1);
});

test('who asks for something else, or later, has a read of his own', async () => {
  const [taskId, other] = [await made(), await made()];
  await Promise.all([1, 2, 3].map((from) => store.read(taskId, from, noLimit)));
  const asked: readonly Parameters<Store['read']>[] = [
    [taskId, 1, noLimit],
    [taskId, 2, noLimit],
    [taskId, 2, { ...noLimit, facts: 1 }],
    [taskId, 2, { ...noLimit, bytes: 1 }],
    [other, 2, noLimit],
  ];
  expect(await scriptsOf(() => Promise.all(asked.map((each) => store.read(...each))))).toBe(asked.length);
  expect(
    await scriptsOf(async () => {
      await store.read(taskId, 2, noLimit);
      await store.read(taskId, 2, noLimit);
    }),
  ).toBe(2);
});

test('who asks once a commit is acknowledged sees it, whoever asks beside him', async () => {
  const taskId = await made();
  for (let n = 4; n < 24; n += 1) {
    // Read in the turns before, in that of the acknowledgement, and after it.
    const beside = store.read(taskId, 1, noLimit);
    const committed = store.append(commitOf(taskId, n - 2, { facts: factsOf(taskId, n, n) }));
    const late = committed.then(() => store.read(taskId, 1, noLimit));
    const asking = Array.from({ length: 3 }, () => new Promise(setImmediate).then(() => store.read(taskId, 1, noLimit)));
    expect(await committed).toBe('committed');
    expect((await late)?.entries).toHaveLength(n);
    await Promise.all([beside, ...asking]);
  }
});

test('a read that fails fails for all who share it, and for nobody after them', async () => {
  const taskId = await made();
  const key = (await redis.keys(`*log*${taskId}*`))[0] ?? expect.fail('no log');
  await redis.rename(key, 'aside');
  await redis.set(key, 'no log');
  const failed = await Promise.allSettled([store.read(taskId, 1, noLimit), store.read(taskId, 1, noLimit)]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await redis.rename('aside', key);
  expect((await store.read(taskId, 1, noLimit))?.entries).toHaveLength(3);
});
