import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { describe, it } from 'vitest';
import { defineTests, storeSuite } from '../conformance/index.ts';

defineTests({ describe, it }, storeSuite, 'lmdb', async () => {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-lmdb-'));
  let store = lmdbStore({ path });
  await store.open();
  return {
    store,
    async reopen() {
      await store.close();
      store = lmdbStore({ path });
      await store.open();
      return store;
    },
    async close() {
      await store.close();
      await rm(path, { recursive: true });
    },
  };
});
