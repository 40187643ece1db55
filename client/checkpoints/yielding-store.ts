import { createStore, type UseStore } from 'idb-keyval';

/**
 * An object store of IndexedDB whose database lets go where another page deletes it or changes its version: that would wait for this page, and whoever opens
 * it next would wait behind that. `onGone` is called then; what comes after it opens the database anew.
 */
export function yieldingStore(database: string, objectStore: string, onGone: () => void): UseStore {
  const store = createStore(database, objectStore);
  return (mode, call) =>
    store(mode, (entries) => {
      const { db } = entries.transaction;
      db.onversionchange = () => {
        db.close();
        onGone();
      };
      return call(entries);
    });
}
