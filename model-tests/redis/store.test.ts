import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { defineTests, storeSuite } from '../conformance/index.ts';
import { startCluster, type RedisCluster } from './redis-cluster.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let prefixes = 0;

describe.each([
  ['redis', ['--appendonly', 'no']],
  ['redis with an append-only file', ['--appendonly', 'yes', '--appendfsync', 'everysec']],
])('%s', (name, args) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(...args);
  });
  afterAll(() => server.stop());

  defineTests({ describe, it }, storeSuite, name, async () => {
    const prefix = `suite-${(prefixes += 1)}`;
    const redis = new Redis(server.port);
    let store = redisStore(redis, { prefix });
    await store.open();
    return {
      store,
      async reopen() {
        await store.close();
        store = redisStore(redis, { prefix });
        await store.open();
        return store;
      },
      async close() {
        await store.close();
        redis.disconnect();
      },
    };
  });
});

describe('redis cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster(3);
  });
  afterAll(() => cluster.stop());

  defineTests({ describe, it }, storeSuite, 'redis cluster', async () => {
    const prefix = `suite-${(prefixes += 1)}`;
    const redis = cluster.client();
    let store = redisStore(redis, { prefix });
    await store.open();
    return {
      store,
      async reopen() {
        await store.close();
        store = redisStore(redis, { prefix });
        await store.open();
        return store;
      },
      async close() {
        await store.close();
        redis.disconnect();
      },
    };
  });
});
