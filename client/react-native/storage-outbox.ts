import type { OutboxStore, StoredEntry } from '../outbox/store.ts';
import { inTurn, type AsyncTextStorage } from './storage.ts';

/** Whose commands, and where in the storage. */
export interface AsyncStorageOutboxOptions {
  /** Who the commands are of. Must tell users apart: one must never send what another has left. */
  readonly name: string;
  /** Defaults to `taskbridge-outbox:`. */
  readonly prefix?: string;
}

/**
 * Keeps commands in `AsyncStorage`, or whatever looks like it: text, so attachments by their `{ uri }` only. Each entry has a key of its own
 * (Android reads no value above 2 MB), and each write is atomic; a step of several is not: a crash within one leaves what was written so far,
 * first what is kept, then what is removed. Stores over the same storage object take turns; an app has one process.
 */
export function asyncStorageOutbox(
  storage: AsyncTextStorage,
  { name, prefix = 'taskbridge-outbox:' }: AsyncStorageOutboxOptions,
): OutboxStore {
  // A name may be the beginning of another: its length parts them.
  const own = `${prefix}${name.length}:${name}:`;

  async function readAll(): Promise<StoredEntry[]> {
    const keys = (await storage.getAllKeys()).filter((key) => key.startsWith(own));
    const texts = await Promise.all(keys.map((key) => storage.getItem(key)));
    return texts.flatMap((text) => (text === null ? [] : (parse(text) ?? [])));
  }

  return {
    name,
    keepsBinary: false,
    read: () => inTurn(storage, readAll),
    change: (decide) =>
      inTurn(storage, async () => {
        const { keep = [], remove = [] } = decide(await readAll());
        for (const entry of keep) await storage.setItem(own + entry.id, JSON.stringify(entry));
        for (const id of remove) await storage.removeItem(own + id);
      }),
  };
}

function parse(text: string): StoredEntry | undefined {
  try {
    // Whoever reads looks at the version and the fields.
    return JSON.parse(text) as StoredEntry;
  } catch {
    return undefined;
  }
}
