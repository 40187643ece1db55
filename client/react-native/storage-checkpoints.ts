import type { CheckpointStore } from '../checkpoints/store.ts';
import type { AsyncTextStorage } from './storage.ts';

/**
 * Keeps checkpoints in `AsyncStorage`, or whatever looks like it: a key for each task. A storage that fails is reported when it is used, and
 * survived; the next run then begins earlier.
 */
export function asyncStorageCheckpoints(storage: AsyncTextStorage, prefix = 'taskbridge:'): CheckpointStore {
  return {
    read: async (key) => (await storage.getItem(prefix + key)) ?? undefined,
    write: async (key, text) => void (await storage.setItem(prefix + key, text)),
    remove: async (key) => void (await storage.removeItem(prefix + key)),
  };
}
