import { readFile } from 'node:fs/promises';
import type { OutboxStore, StoredEntry } from '../outbox/store.ts';
import { replaceFile } from './replace-file.ts';

/** Where the file is, and whose commands are in it. */
export interface FileOutboxOptions {
  /** Made with its folders when the first command is kept. One process writes it, by one store. */
  readonly path: string;
  /** Who the commands are of. Defaults to the path. */
  readonly name?: string;
}

/**
 * Keeps commands in one JSON file: text only, so no attachments. Every step is written beside it, flushed and renamed over it, so that a crash
 * leaves the step before or this one. A file that cannot be read rejects every call, and is left as it is.
 */
export function fileOutbox({ path, name = path }: FileOutboxOptions): OutboxStore {
  let turn: Promise<unknown> = Promise.resolve();

  async function load(): Promise<readonly StoredEntry[]> {
    try {
      const entries: unknown = JSON.parse(await readFile(path, 'utf8'));
      if (!Array.isArray(entries)) throw new Error(`${path} is no outbox. Move it away to begin a new one.`);
      // Whoever reads looks at the version and the fields.
      return entries as StoredEntry[];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work, work);
    turn = next;
    return next;
  }

  return {
    name,
    keepsBinary: false,
    read: () => inTurn(load),
    change: (decide) =>
      inTurn(async () => {
        const entries = await load();
        const { keep = [], remove = [] } = decide(entries);
        if (keep.length + remove.length === 0) return;
        const gone = new Set([...remove, ...keep.map(({ id }) => id)]);
        const next = [...entries.filter((entry) => !gone.has(entry?.id)), ...keep.filter(({ id }) => !remove.includes(id))];
        await replaceFile(path, JSON.stringify(next));
      }),
  };
}
