import type { Entry } from '../ports/store.ts';
import { cursorOf, type Cursor } from './cursor.ts';

/** New facts of one task, as one turn of the event loop brought them. Their array is shared by all viewers. */
export interface Batch {
  /** Dense, at least one. */
  readonly entries: readonly Entry[];
  readonly first: number;
  readonly last: Cursor;
  readonly bytes: number;
  /** True when nothing can follow. */
  readonly ended: boolean;
}

/** Makes a batch; undefined where the facts are none, or not dense. */
export function batchOf(entries: readonly Entry[], ended: boolean): Batch | undefined {
  const first = cursorOf(entries[0]?.eventId).n;
  const last = cursorOf(entries.at(-1)?.eventId);
  if (entries.length === 0 || last.n - first + 1 !== entries.length) return undefined;
  return { entries, first, last, bytes: entries.reduce((sum, entry) => sum + entry.bytes.byteLength, 0), ended };
}

/** Puts a batch before another one, where the second continues the first. */
export function joined(batch: Batch, next: Batch): Batch | undefined {
  if (next.first !== batch.last.n + 1) return undefined;
  const { first } = batch;
  return { entries: [...batch.entries, ...next.entries], first, last: next.last, bytes: batch.bytes + next.bytes, ended: next.ended };
}
