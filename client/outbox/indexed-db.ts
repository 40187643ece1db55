import type { UseStore } from 'idb-keyval';
import { yieldingStore } from '../checkpoints/yielding-store.ts';
import type { OutboxStore, StoredEntry } from './store.ts';

/** Where in IndexedDB, and whose. */
export interface IndexedDbOutboxOptions {
  /** Who the commands are of. Must tell users apart: one must never send what another has left. */
  readonly name: string;
  /** Defaults to `taskbridge-outbox`. */
  readonly database?: string;
  /** The one object store of that database. Defaults to `entries`. */
  readonly objectStore?: string;
}

/**
 * Keeps commands in IndexedDB, each under a key of its own. A step is one transaction: atomic, also against other tabs. The browser may lose
 * the last one when the power fails. Opened when it is first needed, and tried again where that failed.
 */
export function indexedDbOutbox({ name, database = 'taskbridge-outbox', objectStore = 'entries' }: IndexedDbOutboxOptions): OutboxStore {
  let opened: UseStore | undefined;
  const reopen = (): void => void (opened = undefined);
  const store = (): UseStore => (opened ??= yieldingStore(database, objectStore, reopen));
  // Every key that is an array and begins with the name: an empty array is above all text.
  const all = (): IDBKeyRange => IDBKeyRange.bound([name], [name, []]);

  /** One transaction, in which `work` sees everything that is kept. */
  function step<T>(mode: IDBTransactionMode, work: (stored: readonly StoredEntry[], entries: IDBObjectStore) => T): Promise<T> {
    let refusal: { readonly error: unknown } | undefined;
    const run = (entries: IDBObjectStore): Promise<T> =>
      new Promise((resolve, reject) => {
        const { transaction } = entries;
        const asked = entries.getAll(all());
        let done: T;
        asked.onsuccess = () => {
          try {
            // Only this adapter writes here; versions are looked at by whoever reads.
            done = work(asked.result as StoredEntry[], entries);
          } catch (error) {
            refusal = { error };
            transaction.abort();
          }
        };
        transaction.oncomplete = () => resolve(done);
        transaction.onabort = transaction.onerror = () =>
          reject(refusal ? toError(refusal.error) : (transaction.error ?? asked.error ?? new Error('IndexedDB gave no reason.')));
      });
    return store()(mode, run).catch((error: unknown) => {
      if (!refusal) reopen();
      throw error;
    });
  }

  return {
    name,
    keepsBinary: true,
    read: async () => step('readonly', (stored) => stored),
    change: async (decide) =>
      step('readwrite', (stored, entries) => {
        const { keep = [], remove = [] } = decide(stored);
        for (const entry of keep) entries.put(entry, [name, entry.id]);
        for (const id of remove) entries.delete([name, id]);
      }),
  };
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
