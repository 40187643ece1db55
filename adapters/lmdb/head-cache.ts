import { parseHead, type Head, type Rows } from './head.ts';
import { headKey, type RowKey } from './keys.ts';
import { entriesOf } from './plan.ts';

/** What a write finds of a task. */
export interface CachedHead {
  readonly head: Head;
  /** The entries by which it is found. */
  readonly entries: readonly RowKey[];
}

/** Tasks whose heads stay parsed, at most: a quarter of a megabyte. */
export const CACHED_HEADS_MAX = 512;

/**
 * HeadCache as the writes before leave them. One process has the store, and writes in its turn: what it wrote last of a task is what stands there, as long as
 * its transactions succeed. So tasks that are written again and again are read once.
 *
 * Inside a transaction of the writer only, and to be told of each that failed: reads outside see what was committed, by `readHead`.
 */
export class HeadCache {
  readonly #rows: Rows;
  readonly #known = new Map<string, CachedHead>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  read(taskId: string): CachedHead | undefined {
    const known = this.#known.get(taskId);
    if (known) return known;
    const row = this.#rows.get(headKey(taskId));
    return row && this.#keep(taskId, parseHead(row));
  }

  write(taskId: string, head: Head, entries: readonly RowKey[]): void {
    this.#rows.putSync(headKey(taskId), Buffer.from(JSON.stringify(head)));
    // After its end there is little to be written of it.
    if (head.ended) this.#known.delete(taskId);
    else this.#known.set(taskId, { head, entries });
    this.#dropOldest();
  }

  /** The rows of a task are removed. */
  remove(taskId: string): void {
    this.#known.delete(taskId);
  }

  /** A transaction was undone, or nobody can say what became of it. */
  forget(): void {
    this.#known.clear();
  }

  #keep(taskId: string, head: Head): CachedHead {
    const known = { head, entries: entriesOf(taskId, head.standing) };
    this.#known.set(taskId, known);
    this.#dropOldest();
    return known;
  }

  #dropOldest(): void {
    if (this.#known.size <= CACHED_HEADS_MAX) return;
    for (const oldest of this.#known.keys()) return void this.#known.delete(oldest);
  }
}
