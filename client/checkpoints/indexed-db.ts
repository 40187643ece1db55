import { del, get, set, type UseStore } from 'idb-keyval';
import type { CheckpointStore } from './store.ts';
import { yieldingStore } from './yielding-store.ts';

/** Where in IndexedDB. */
export interface IndexedDbCheckpointsOptions {
  /** Defaults to `taskbridge`. */
  readonly database?: string;
  /** The one object store of that database. Defaults to `checkpoints`. */
  readonly objectStore?: string;
}

/** Keeps checkpoints in IndexedDB. The database is opened when the first checkpoint is asked for, and tried again where that failed. */
export function indexedDbCheckpoints({
  database = 'taskbridge',
  objectStore = 'checkpoints',
}: IndexedDbCheckpointsOptions = {}): CheckpointStore {
  let opened: UseStore | undefined;
  const reopen = (): void => void (opened = undefined);
  const store = (): UseStore => (opened ??= yieldingStore(database, objectStore, reopen));
  const forget = (error: unknown): never => {
    reopen();
    throw error;
  };
  return {
    read: async (key) => get<string>(key, store()).catch(forget),
    write: async (key, text) => set(key, text, store()).catch(forget),
    remove: async (key) => del(key, store()).catch(forget),
  };
}
