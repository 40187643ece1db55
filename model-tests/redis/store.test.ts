import { Redis, type Cluster } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { defineTests, storeSuite } from '../conformance/index.ts';
import { startCluster, type RedisCluster } from './redis-cluster.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { WAIT_MS } from '../support/patience.ts';

const patient = { commandTimeoutMs: WAIT_MS, openTimeoutMs: WAIT_MS };
let prefixes = 0;

/** A store below a prefix of its own, that can be opened again. */
async function underTest(redis: Redis | Cluster) {
  const prefix = `suite-${(prefixes += 1)}`;
  let store = redisStore(redis, { prefix, ...patient });
  await store.open();
  return {
    store,
    async reopen() {
      await store.close();
      store = redisStore(redis, { prefix, ...patient });
      await store.open();
      return store;
    },
    async another() {
      const other = redisStore(redis, { prefix, ...patient });
      await other.open();
      return other;
    },
    async close() {
      await store.close();
      redis.disconnect();
    },
  };
}

describe.each([
  ['redis', ['--appendonly', 'no']],
  ['redis with an append-only file', ['--appendonly', 'yes', '--appendfsync', 'everysec']],
])('%s', (name, args) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(...args);
  });
  afterAll(() => server.stop());

  defineTests({ describe, it }, storeSuite, name, () => underTest(new Redis(server.port)));
});

describe('redis cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster(3);
  });
  afterAll(() => cluster.stop());

  defineTests({ describe, it }, storeSuite, 'redis cluster', () => underTest(cluster.client()));
});
