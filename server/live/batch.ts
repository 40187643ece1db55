import type { EventId } from '../../machines/index.ts';
import type { Entry } from '../ports/store.ts';
import { cursorOf, isOther, type Cursor } from './cursor.ts';

/** New facts of one task, as one turn of the event loop brought them. Their array is shared by all viewers. */
export interface Batch {
  /** Dense, at least one. */
  readonly entries: readonly Entry[];
  readonly first: number;
  /** The fact that the first one was written after. */
  readonly after: Cursor;
  readonly last: Cursor;
  readonly bytes: number;
  /** True when nothing can follow. */
  readonly ended: boolean;
}

/** Makes a batch; undefined where the facts are none, or not dense. */
export function batchOf(entries: readonly Entry[], ended: boolean, before: EventId | null): Batch | undefined {
  const first = cursorOf(entries[0]?.eventId).n;
  const last = cursorOf(entries.at(-1)?.eventId);
  if (entries.length === 0 || last.n - first + 1 !== entries.length) return undefined;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.byteLength, 0);
  return { entries, first, after: cursorOf(before), last, bytes, ended };
}

/** Puts a batch before another one, where the second continues the first. */
export function joined(batch: Batch, next: Batch): Batch | undefined {
  if (next.first !== batch.last.n + 1 || isOther(batch.last, next.after)) return undefined;
  const { first, after } = batch;
  return {
    entries: [...batch.entries, ...next.entries],
    first,
    after,
    last: next.last,
    bytes: batch.bytes + next.bytes,
    ended: next.ended,
  };
}
