/** What was read of a task, and the text of its head then: no two commits leave the same one. */
export interface CachedRead<Value> {
  readonly at: string;
  readonly value: Value;
}

/** Reads that are kept, at most. */
const READS_MAX = 256;
/** The size of one that is kept, at most: characters of texts, or bytes of facts. */
export const CACHED_SIZE_MAX = 16 * 1024;

/** What was read last. While the task has the head that it had then Redis says only that, and the very object of the last time is given. */
export class ReadCache<Value> {
  /** The one that was asked for longest ago comes first. */
  readonly #kept = new Map<string, CachedRead<Value>>();

  /** What is known; undefined for nothing. */
  known(key: string): CachedRead<Value> | undefined {
    return this.#kept.get(key);
  }

  /** What is known still stands, and is the last to be forgotten. */
  again(key: string, known: CachedRead<Value>): Value {
    // Something newer may have been read meanwhile.
    if (this.#kept.get(key) === known) this.keep(key, known);
    return known.value;
  }

  /** Keeps what was read in the place of what was known. */
  keep(key: string, read: CachedRead<Value>): void {
    this.#kept.delete(key);
    this.#kept.set(key, read);
    if (this.#kept.size <= READS_MAX) return;
    for (const oldest of this.#kept.keys()) return void this.#kept.delete(oldest);
  }

  /** Forgets what is known. */
  forget(key: string): void {
    this.#kept.delete(key);
  }
}
