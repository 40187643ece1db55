import { Redis } from 'ioredis';
import { redisStore, type RedisStoreOptions } from 'taskbridge/adapters/redis';
import type { Entry, Store } from 'taskbridge/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { commitOf, factOf, sampleTask, taskWithFacts } from '../conformance/store/samples.ts';
import { patience } from '../support/patience.ts';
import { otherBuilds, ownBuild, type RedisBuild } from './redis-builds.ts';
import { startRedisProxy, type RedisProxy } from './redis-proxy.ts';
import { startRedisOf, type RedisServer } from './redis-server.ts';

const warn = vi.fn();
const logger = { warn, error: () => undefined };

/** The options of a client decide the type of its replies, which are none of these tests' affair. */
const Client = Redis as new (options: object) => Redis;

function clientTo(port: number, options: object = {}): Redis {
  const redis = new Client({ ...options, port });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function serverOf(build: RedisBuild): Promise<RedisServer> {
  const server = await startRedisOf(build, '--appendonly', 'no', '--repl-diskless-sync-delay', '0');
  onTestFinished(() => server.stop());
  return server;
}

async function storeOn(redis: Redis, options: RedisStoreOptions = {}): Promise<Store> {
  warn.mockClear();
  const store = redisStore(redis, { logger, ...options });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

async function wireTo(server: RedisServer): Promise<RedisProxy> {
  const proxy = await startRedisProxy(server.port);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The roles are changed, and the name leads to the new master. Connections that are open stay with what was the master. */
async function failOver(proxy: RedisProxy, from: RedisServer, to: RedisServer): Promise<void> {
  const [old, fresh] = [clientTo(from.port), clientTo(to.port)];
  await fresh.replicaof('127.0.0.1', from.port);
  await expect.poll(async () => String(await fresh.info('replication'))).toContain('master_link_status:up');
  await expect
    .poll(async () => /slave0:.*offset=(\d+)/.exec(await old.info('replication'))?.[1])
    .toBe(/master_repl_offset:(\d+)/.exec(await old.info('replication'))?.[1]);
  await fresh.replicaof('NO', 'ONE');
  await old.replicaof('127.0.0.1', to.port);
  proxy.nameMovesTo(to.port);
}

describe.each([ownBuild, ...otherBuilds])('a name that moves to another $name', (build) => {
  it('is followed by a node that commits and never creates, whatever its client is set to', async () => {
    const [one, two] = await Promise.all([serverOf(build), serverOf(build)]);
    const proxy = await wireTo(one);
    const redis = clientTo(proxy.port);
    const store = await storeOn(redis);
    const { taskId } = await taskWithFacts(store, 1);
    await failOver(proxy, one, two);
    const refused: unknown = await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] })).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'READONLY', message: expect.stringContaining('READONLY') as string });
    await vi.waitFor(async () => expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('committed'));
    expect(String(await redis.info('server'))).toContain(`tcp_port:${two.port}`);
    expect(warn).toHaveBeenCalledWith('Redis is a replica now; the client connects again.', expect.anything());
  });

  it('is asked of a host’s own reconnectOnError with words that begin with the code, also where they came inside of a reply', async () => {
    const one = await serverOf(build);
    const asked: string[] = [];
    const redis = clientTo(one.port, {
      reconnectOnError: (error: Error) => {
        asked.push(error.message);
        return error.message.startsWith('OOM');
      },
    });
    const store = await storeOn(redis);
    const { taskId } = await taskWithFacts(store, 1);
    const again = vi.fn();
    redis.on('reconnecting', again);
    const admin = clientTo(one.port);
    await admin.config('SET', 'maxmemory', '1');
    await expect(store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).rejects.toMatchObject({ code: 'OOM' });
    await vi.waitFor(() => expect(again).toHaveBeenCalledTimes(1));
    await admin.config('SET', 'maxmemory', '0');
    await vi.waitFor(async () => expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('committed'));
    expect(asked.some((message) => message.startsWith('OOM'))).toBe(true);
  });
});

describe('a connection that is silent', () => {
  it('is left for a new one when nothing was answered for a command’s time, and the tail hears again too', async () => {
    const server = await serverOf(ownBuild);
    const proxy = await wireTo(server);
    const redis = clientTo(proxy.port);
    const store = await storeOn(redis, { commandTimeoutMs: patience(500) });
    const { taskId } = await taskWithFacts(store, 0);
    const told: Entry[] = [];
    const interrupted = vi.fn();
    await store.tail({ committed: (_, entries) => void told.push(...entries), interrupted }).watch(taskId);
    proxy.stall();
    await expect(store.create(sampleTask())).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await vi.waitFor(() => store.create(sampleTask()));
    expect(warn).toHaveBeenCalledWith('Redis does not answer; the client connects again.', expect.anything());
    await vi.waitFor(() => expect(interrupted).toHaveBeenCalled());
    await vi.waitFor(async () => {
      await store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
      expect(told).toHaveLength(1);
    });
  });
});

describe('a client', () => {
  it.each([
    { enableOfflineQueue: false },
    { enableOfflineQueue: false, lazyConnect: true },
    { stringNumbers: true },
    { protocol: 2 as const, stringNumbers: true },
    { replyMapping: 'resp3' as const },
  ])('with %j is served from its first command on', async (options) => {
    const server = await serverOf(ownBuild);
    const store = await storeOn(clientTo(server.port, options));
    const { taskId, requestKey } = await taskWithFacts(store, 1);
    expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('committed');
    expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('conflict');
    expect(await store.create({ ...sampleTask(), requestKey, taskId: `${requestKey.slice(0, 2)}${'0'.repeat(30)}` })).toEqual({
      created: false,
      taskId,
    });
    expect(await store.remove(taskId, requestKey, 3)).toBe('removed');
    expect(warn).not.toHaveBeenCalled();
  });

  it('that is closed is refused with a sentence', async () => {
    const server = await serverOf(ownBuild);
    const redis = clientTo(server.port);
    redis.disconnect();
    await vi.waitFor(() => expect(redis.status).toBe('end'));
    await expect(redisStore(redis).open()).rejects.toThrow('client is closed');
  });

  it.each([
    [{ retryStrategy: null }, 'retryStrategy'],
    [{ sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'x', sentinelRetryStrategy: () => null }, 'sentinelCommandTimeout'],
  ])('with %j is warned of', async (options, name) => {
    const server = await serverOf(ownBuild);
    warn.mockClear();
    const store = redisStore(clientTo(server.port, options), { logger });
    await store.open().catch(() => undefined);
    await store.close();
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(name), {});
  });
});
