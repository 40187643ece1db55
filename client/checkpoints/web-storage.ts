import type { CheckpointStore } from './store.ts';

/** The part of the platform's `Storage` that is used. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/**
 * Keeps checkpoints in `localStorage` or `sessionStorage`, or whatever looks like them. Throws nothing at construction: a storage that is
 * switched off or full is reported when it is used, and survived.
 */
export function webStorageCheckpoints(storage: TextStorage, prefix = 'taskbridge:'): CheckpointStore {
  return {
    read: async (key) => storage.getItem(prefix + key) ?? undefined,
    write: async (key, text) => storage.setItem(prefix + key, text),
    remove: async (key) => storage.removeItem(prefix + key),
  };
}
