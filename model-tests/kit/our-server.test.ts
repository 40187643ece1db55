import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import type { Store } from '../../server/index.ts';
import { defineTests, serverSuite } from '../conformance/index.ts';
import { startRedis } from '../redis/redis-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { WAIT_MS } from '../support/patience.ts';
import { startOurServer, type OurServer } from './our-server.ts';

const stores: Record<string, () => Promise<{ openStore: () => Store; after(): Promise<unknown> }>> = {
  async memory() {
    const store = memoryStore();
    return { openStore: () => store, after: async () => undefined };
  },
  async lmdb() {
    const { path, remove } = await tempFolder('kit');
    return { openStore: () => lmdbStore({ path }), after: remove };
  },
  async redis() {
    const server = await startRedis('--appendonly', 'no');
    const redis = new Redis(server.port);
    const after = async (): Promise<void> => {
      redis.disconnect();
      await server.stop();
    };
    return { openStore: () => redisStore(redis, { commandTimeoutMs: WAIT_MS }), after };
  },
};

describe.each(Object.keys(stores))('our server on %s', (name) => {
  let ours: OurServer;
  let after: () => Promise<unknown>;
  beforeAll(async () => {
    const opened = await stores[name]?.();
    if (!opened) throw new Error(`There is no store ${name}.`);
    after = opened.after;
    ours = await startOurServer(opened.openStore);
  });
  afterAll(async () => {
    await ours.close();
    await after();
  });
  defineTests({ describe, it }, serverSuite, name, async () => ours.world, { atOnce: 4 });
});
