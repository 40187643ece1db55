import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { describe, it } from 'vitest';
import { defineTests, storeSuite } from '../conformance/index.ts';
import { tempFolder } from '../support/temp-folder.ts';

defineTests({ describe, it }, storeSuite, 'lmdb', async () => {
  const { path, remove } = await tempFolder('lmdb');
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
      await remove();
    },
  };
});
