import type { TextStorage } from '../checkpoints/web-storage.ts';
import { parseObject } from '../commands/answer.ts';
import type { OutboxStore, StoredEntry } from './store.ts';

/** The part of the platform's `Storage` that is used. */
export interface EnumerableStorage extends TextStorage {
  key(index: number): string | null;
  readonly length: number;
}

/** Whose commands, and where in the storage. */
export interface WebStorageOutboxOptions {
  /** Who the commands are of. Must tell users apart: one must never send what another has left. */
  readonly name: string;
  /** Defaults to `taskbridge-outbox:`. */
  readonly prefix?: string;
}

/**
 * Keeps commands in `localStorage`, or whatever looks like it: text only, so no attachments. Each entry has a key of its own, and each write is
 * atomic; a step of several is not, and two tabs may each add one in the same instant: both are kept, a limit may be passed by one.
 */
export function webStorageOutbox(
  storage: EnumerableStorage,
  { name, prefix = 'taskbridge-outbox:' }: WebStorageOutboxOptions,
): OutboxStore {
  // A name may be the beginning of another: its length parts them.
  const own = `${prefix}${name.length}:${name}:`;

  function readAll(): StoredEntry[] {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index));
    return keys.flatMap((key) => {
      // Whoever reads looks at the version and the fields.
      const text = key?.startsWith(own) ? storage.getItem(key) : null;
      return text === null || text === undefined ? [] : ((parseObject(text) as StoredEntry | undefined) ?? []);
    });
  }

  return {
    name,
    keepsBinary: false,
    read: async () => readAll(),
    async change(decide) {
      const { keep = [], remove = [] } = decide(readAll());
      for (const entry of keep) storage.setItem(own + entry.id, JSON.stringify(entry));
      for (const id of remove) storage.removeItem(own + id);
    },
  };
}
