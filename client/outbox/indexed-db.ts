import { createStore, type UseStore } from 'idb-keyval';
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
  const store = (): UseStore => (opened ??= createStore(database, objectStore));
  const forget = (error: unknown): never => {
    opened = undefined;
    throw error;
  };
  // Every key that is an array and begins with the name: an empty array is above all text.
  const all = (): IDBKeyRange => IDBKeyRange.bound([name], [name, []]);

  return {
    name,
    keepsBinary: true,
    read: async () =>
      store()(
        'readonly',
        (entries) =>
          new Promise<readonly StoredEntry[]>((resolve, reject) => {
            const asked = entries.getAll(all());
            // Only this adapter writes here; versions are looked at by whoever reads.
            asked.onsuccess = () => resolve(asked.result as StoredEntry[]);
            asked.onerror = () => reject(failureOf(asked.error));
          }),
      ).catch(forget),
    async change(decide) {
      let refusal: { readonly error: unknown } | undefined;
      await store()(
        'readwrite',
        (entries) =>
          new Promise<void>((resolve, reject) => {
            const { transaction } = entries;
            const asked = entries.getAll(all());
            asked.onsuccess = () => {
              try {
                const { keep = [], remove = [] } = decide(asked.result as StoredEntry[]);
                for (const entry of keep) entries.put(entry, [name, entry.id]);
                for (const id of remove) entries.delete([name, id]);
              } catch (error) {
                refusal = { error };
                transaction.abort();
              }
            };
            transaction.oncomplete = () => resolve();
            transaction.onabort = transaction.onerror = () =>
              reject(refusal ? toError(refusal.error) : failureOf(transaction.error ?? asked.error));
          }),
      ).catch((error: unknown) => (refusal ? Promise.reject(toError(refusal.error)) : forget(error)));
    },
  };
}

function failureOf(error: DOMException | null): Error {
  return error ?? new Error('IndexedDB gave no reason.');
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
