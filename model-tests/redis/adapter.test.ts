import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { redisProbe, redisStore, type RedisStoreOptions } from 'taskbridge/adapters/redis';
import type { Entry, Store } from 'taskbridge/server';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { commitOf, factOf, factsOf, legible, look, readAll, sampleTask, taskWithFacts, wakes } from '../conformance/store/samples.ts';
import { freePort } from '../support/free-port.ts';
import { onLoopback } from '../support/loopback.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { startRedisProxy } from './redis-proxy.ts';
import { patience, WAIT_MS } from '../support/patience.ts';

let server: RedisServer;
let clients: Redis[] = [];
let stores: Store[] = [];
let prefixes = 0;

beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
});
afterEach(async () => {
  for (const store of stores) await store.close();
  for (const client of clients) client.disconnect();
  [stores, clients] = [[], []];
});
afterAll(() => server.stop());

interface ClientOptions {
  readonly keyPrefix?: string;
  readonly enableAutoPipelining?: boolean;
  readonly protocol?: 2 | 3;
  readonly disableClientInfo?: boolean;
}

function clientTo(port: number, options: ClientOptions = {}): Redis {
  const client = new Redis({ ...options, port });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function storeOn(redis: Redis, options: RedisStoreOptions = {}): Promise<Store> {
  // A command that is late is given up, and what was announced is not read: weather, that is not what these tests are about.
  const store = redisStore(redis, { prefix: `adapter-${(prefixes += 1)}`, logger: silent, commandTimeoutMs: WAIT_MS, ...options });
  stores.push(store);
  await store.open();
  return store;
}

const silent = { warn: () => undefined, error: () => undefined };

/** A tail that remembers what it was told. */
function listening(store: Store) {
  const told: Entry[] = [];
  const follows: (string | null)[] = [];
  const interrupted = vi.fn();
  const tail = store.tail({
    committed(_taskId, entries, _ended, before) {
      told.push(...entries);
      follows.push(before);
    },
    interrupted,
  });
  return { tail, told, follows, interrupted };
}

describe('a Redis store on the host’s client', () => {
  it('leaves the client’s own prefix, auto-pipelining and open connection alone', async () => {
    const redis = clientTo(server.port, { keyPrefix: 'hosts-own:', enableAutoPipelining: true });
    const store = await storeOn(redis, { prefix: 'alone' });
    const { taskId } = await taskWithFacts(store, 3);
    const { tail, told } = listening(store);
    await tail.watch(taskId);
    await store.append(commitOf(taskId, 4, { facts: [factOf(taskId, 4)] }));
    await vi.waitFor(() => expect(told).toHaveLength(1));
    const plain = clientTo(server.port);
    expect(await plain.keys(`*${taskId}*`)).toEqual(expect.arrayContaining([`alone:{${taskId.slice(0, 2)}}:task:${taskId}`]));
    expect(await plain.keys('hosts-own:*')).toEqual([]);
    await store.close();
    expect(await redis.ping()).toBe('PONG');
  });

  it('goes on when Redis has forgotten its scripts', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const { taskId } = await taskWithFacts(store, 1);
    await redis.script('FLUSH');
    const facts = factsOf(taskId, 2, 21);
    const answers = await Promise.all(facts.map((fact, i) => store.append(commitOf(taskId, 2 + i, { facts: [fact] }))));
    expect(answers).toContain('committed');
    expect((await readAll(store, taskId)).entries.length).toBeGreaterThan(1);
  });

  it('needs one connection for the tail, however many tasks are watched, and drops it in the end', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const count = async () =>
      String(await redis.client('LIST'))
        .trim()
        .split('\n').length;
    const before = await count();
    const { tail } = listening(store);
    const ids = Array.from({ length: 10_000 }, () => sampleTask().taskId);
    await Promise.all(ids.map((taskId) => tail.watch(taskId)));
    expect(await count()).toBe(before + 1);
    for (const taskId of ids) tail.unwatch(taskId);
    await vi.waitFor(async () => expect(await redis.pubsub('CHANNELS', 'adapter-*')).toEqual([]));
    await tail.close();
    await vi.waitFor(async () => expect(await count()).toBe(before));
  });

  it('hears of notices over that connection for as long as a tail wants to know, and on no account else', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const channels = async () => (await redis.pubsub('CHANNELS', `adapter-${prefixes}:*`)).length;
    const [task, other] = [sampleTask().taskId, sampleTask().taskId];
    const deaf = listening(store).tail;
    await deaf.watch(task);
    await deaf.announce('to nobody');
    expect(await channels()).toBe(1);
    const announced = vi.fn();
    const tail = store.tail({ committed: () => undefined, interrupted: () => undefined, announced });
    // As many watches as there are viewers ask for it together.
    const ids = Array.from({ length: 10_000 }, () => sampleTask().taskId);
    await Promise.all(ids.map((taskId) => tail.watch(taskId)));
    for (const taskId of ids) tail.unwatch(taskId);
    await vi.waitFor(async () => expect(await channels()).toBe(2));
    await vi.waitFor(async () => expect(String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).match(/^id=/gm)).toHaveLength(1));
    // Another node, which has nobody who watches.
    const node = redisStore(redis, { prefix: `adapter-${prefixes}`, logger: silent, commandTimeoutMs: WAIT_MS });
    stores.push(node);
    await node.open();
    await node.tail({ committed: () => undefined, interrupted: () => undefined }).announce('ended');
    await vi.waitFor(() => expect(announced.mock.calls).toEqual([['ended']]));
    await tail.close();
    await vi.waitFor(async () => expect(await channels()).toBe(1));
    await deaf.watch(other);
    expect(await channels()).toBe(2);
  });

  it('throws for what a replica refuses, and goes on when it is the master again', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const { taskId } = await taskWithFacts(store, 1);
    await redis.replicaof('127.0.0.1', await freePort());
    try {
      await expect(store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).rejects.toThrow('READONLY');
      await expect(redisStore(redis).open()).rejects.toThrow('replica');
    } finally {
      await redis.replicaof('NO', 'ONE');
    }
    expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('committed');
  });

  it('writes all of a commit or nothing where Redis has no memory left', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const { taskId } = await taskWithFacts(store, 1);
    await redis.config('SET', 'maxmemory', '1');
    try {
      await expect(
        store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)], fields: { head: 'x' }, sideValues: { k: 'x' }, plan: wakes(1) })),
      ).rejects.toThrow('OOM');
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect(await store.load(taskId)).toEqual({ revision: 2, fields: { head: '{"state":"accepted"}' } });
    expect((await readAll(store, taskId)).entries).toHaveLength(1);
    expect(await store.take(look())).toEqual({ due: [], ready: [] });
  });

  it('writes commits of one turn in one call, and lets none suffer from another', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push((await taskWithFacts(store, 1)).taskId);
    const [conflicting = '', broken = ''] = ids;
    await store.append(commitOf(conflicting, 2, { facts: [factOf(conflicting, 2)] }));
    const [log = ''] = await redis.keys(`*:log:${broken}`);
    await redis.set(log, 'no stream');
    const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    const before = await calls();
    const outcomes = await Promise.allSettled(ids.map((taskId) => store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))));
    // Two calls of 32 and 8, and a look at the head that is not the newest any more.
    expect(await calls()).toBe(before + 3);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'thrown'))).toEqual(
      ids.map((taskId) => (taskId === conflicting ? 'conflict' : taskId === broken ? 'thrown' : 'committed')),
    );
    expect((await store.load(broken))?.revision).toBe(2);
  });

  it('gives a command up after its time, and says that its outcome is unknown', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis, { prefix: 'late' });
    const hasty = await storeOn(redis, { prefix: 'late', commandTimeoutMs: 100 });
    const { taskId } = await taskWithFacts(store, 1);
    // So that its next command is the commit itself.
    await vi.waitFor(() => hasty.load(taskId));
    server.freeze();
    try {
      await expect(hasty.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).rejects.toThrow('unknown');
    } finally {
      server.thaw();
    }
    // It ran all the same, once.
    await vi.waitFor(async () => expect((await store.load(taskId))?.revision).toBe(3));
    expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('conflict');
  });

  it('says nothing of what tasks say in its errors', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const { taskId } = await taskWithFacts(store, 1);
    await redis.set(`adapter-${prefixes}:{${taskId.slice(0, 2)}}:kept:${taskId}`, 'of another type');
    const failure: unknown = await store
      .append(commitOf(taskId, 2, { fields: {}, sideValues: { k: 'a secret' } }))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('secret');
  });

  it('refuses a commit that was decided on a history which Redis has lost', async () => {
    const redis = clientTo(server.port);
    const prefix = `lost-${(prefixes += 1)}`;
    const [one, two] = [await storeOn(redis, { prefix }), await storeOn(redis, { prefix })];
    const { taskId } = await taskWithFacts(one, 2);
    const keys = await redis.keys(`${prefix}:*`);
    const earlier = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
    await one.append(commitOf(taskId, 3, { facts: [factOf(taskId, 3, { ms: 1 })] }));
    // What a restart without its last writes, or a failover, does.
    for (const [i, key] of keys.entries()) await redis.restore(key, 0, earlier[i] ?? '', 'REPLACE');
    await two.load(taskId);
    expect(await two.append(commitOf(taskId, 3, { facts: [factOf(taskId, 3, { ms: 2 })] }))).toBe('committed');
    expect(await one.append(commitOf(taskId, 4, { facts: [factOf(taskId, 4)] }))).toBe('conflict');
    expect((await one.load(taskId))?.revision).toBe(4);
    expect(await one.append(commitOf(taskId, 4, { facts: [factOf(taskId, 4)] }))).toBe('committed');
  });
});

describe('the tail', () => {
  it('brings facts that are too large to be told twice, in their order', async () => {
    const store = await storeOn(clientTo(server.port), { messageBytesMax: 1000 });
    const { taskId } = await taskWithFacts(store, 0);
    const { tail, told, follows, interrupted } = listening(store);
    await tail.watch(taskId);
    const large = { message: 'x'.repeat(900_000) };
    await store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1), factOf(taskId, 2, large), factOf(taskId, 3, large)] }));
    await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 4)] }));
    await store.append(commitOf(taskId, 3, { facts: [factOf(taskId, 5, large)] }));
    await store.append(commitOf(taskId, 4, { facts: [factOf(taskId, 6)], ended: true }));
    await vi.waitFor(() => expect(told).toHaveLength(6));
    expect(legible(told)).toEqual(legible((await readAll(store, taskId)).entries));
    expect(follows).toEqual([null, ...[3, 4, 5].map((n) => factOf(taskId, n).eventId)]);
    expect(interrupted).not.toHaveBeenCalled();
  });

  it('says that it was interrupted once it hears again, and then hears', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const tasks = await Promise.all(Array.from({ length: 50 }, () => taskWithFacts(store, 0)));
    const { tail, told, interrupted } = listening(store);
    await Promise.all(tasks.map(({ taskId }) => tail.watch(taskId)));
    for (let round = 1; round <= 3; round += 1) {
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await vi.waitFor(() => expect(interrupted).toHaveBeenCalledTimes(round));
      await Promise.all(tasks.map(({ taskId }) => store.append(commitOf(taskId, round, { facts: [factOf(taskId, round)] }))));
      await vi.waitFor(() => expect(told).toHaveLength(50 * round));
    }
    expect(await redis.pubsub('CHANNELS', `adapter-${prefixes}:*`)).toHaveLength(50);
  });

  it('takes a connection for dead that is cut without a word', async () => {
    const proxy = await startRedisProxy(server.port);
    const redis = clientTo(proxy.port);
    const store = await storeOn(redis, { commandTimeoutMs: patience(1000) });
    const { taskId } = await taskWithFacts(store, 0);
    const { tail, told, interrupted } = listening(store);
    await tail.watch(taskId);
    proxy.stall();
    await vi.waitFor(() => expect(interrupted).toHaveBeenCalled());
    // The host's own client is cut as well, and is for the host to mend.
    redis.disconnect(true);
    await vi.waitFor(async () => {
      // One whose reply comes too late is written all the same.
      await store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
      expect((await store.load(taskId))?.revision).toBe(2);
    });
    await vi.waitFor(() => expect(told).toHaveLength(1));
    await store.close();
    redis.disconnect();
    await proxy.close();
  });

  it('rejects a watch while Redis is away, and hears by itself when it is back', async () => {
    const own = await startRedis();
    try {
      const store = await storeOn(clientTo(own.port), { commandTimeoutMs: patience(1000) });
      const { taskId } = await taskWithFacts(store, 0);
      const { tail, told, interrupted } = listening(store);
      await own.kill();
      await expect(tail.watch(taskId)).rejects.toThrow();
      await own.restart();
      await vi.waitFor(() => expect(interrupted).toHaveBeenCalled());
      await tail.watch(taskId);
      const { taskId: other } = await taskWithFacts(store, 0);
      await tail.watch(other);
      await store.append(commitOf(other, 1, { facts: [factOf(other, 1)] }));
      await vi.waitFor(() => expect(told).toHaveLength(1));
    } finally {
      await own.stop();
    }
  });
});

describe('opening', () => {
  it('says within its time that nobody is there, and why', async () => {
    const store = redisStore(clientTo(await freePort()), { openTimeoutMs: 300 });
    await expect(store.open()).rejects.toThrow(/cannot be opened: .*ECONNREFUSED/);
  });

  it('refuses a server that is too old', async () => {
    const port = await pretending('redis_version:6.0.16\r\nrole:master\r\n');
    await expect(redisStore(clientTo(port, { protocol: 2, disableClientInfo: true })).open()).rejects.toThrow(
      'Redis 6.0.16 is too old: the Redis store needs 6.2',
    );
  });

  it('says within its time that a server is frozen, and leaves nothing behind', async () => {
    const own = await startRedis('--appendonly', 'no');
    const redis = clientTo(own.port);
    await redis.ping();
    const listeners = () => ['end', 'error', 'node error'].map((name) => redis.listenerCount(name));
    const before = listeners();
    own.freeze();
    await expect(redisStore(redis, { openTimeoutMs: 300 }).open()).rejects.toThrow('did not answer within 300 milliseconds');
    redis.disconnect(true);
    await expect(redisStore(redis, { openTimeoutMs: 300 }).open()).rejects.toThrow('did not answer within 300 milliseconds');
    expect(listeners()).toEqual(before);
    redis.disconnect();
    await own.stop();
  });

  it('refuses a client of one server of a cluster', async () => {
    const port = await pretending('redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:1\r\n');
    await expect(redisStore(clientTo(port, { protocol: 2, disableClientInfo: true })).open()).rejects.toThrow('Redis.Cluster');
  });

  it.each([
    ['allkeys-lru', '1073741824', 1],
    ['allkeys-lru', '0', 0],
    ['volatile-lru', '1073741824', 0],
    ['noeviction', '1073741824', 0],
  ])('with maxmemory-policy %s and maxmemory %s warns %i times', async (policy, maxmemory, warnings) => {
    const warn = vi.fn();
    const redis = clientTo(server.port);
    await redis.config('SET', 'maxmemory', maxmemory, 'maxmemory-policy', policy);
    try {
      await storeOn(redis, { logger: { ...silent, warn } });
    } finally {
      await redis.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
    }
    expect(warn).toHaveBeenCalledTimes(warnings);
  });

  it.each([
    { prefix: '' },
    { prefix: 'a{b}' },
    { prefix: 'a b' },
    { commandTimeoutMs: 0 },
    { openTimeoutMs: 1.5 },
    { messageBytesMax: -1 },
  ])('refuses %j by name', (options) => {
    expect(() => redisStore(clientTo(server.port), options)).toThrow(Object.keys(options)[0]);
  });
});

describe('the probe', () => {
  it('is ready while Redis answers in time', async () => {
    const redis = clientTo(server.port);
    const probe = redisProbe(redis, { timeoutMs: 200 });
    await vi.waitFor(async () => expect(await probe.check()).toMatchObject({ ready: true }));
    server.freeze();
    expect(await probe.check()).toMatchObject({ ready: false });
    server.thaw();
    await vi.waitFor(async () => expect(await probe.check()).toMatchObject({ ready: true }));
  });
});

/** Something that answers INFO without a section with a text, and every other command with an error; gives its port. */
async function pretending(info: string): Promise<number> {
  const fake = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const command of String(bytes).split(/(?=\*\d+\r\n\$)/))
        socket.write(/info\r\n$/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '-ERR no\r\n');
    });
  });
  fake.unref();
  return (await onLoopback(fake)).port;
}
