import type { EventId } from '../../machines/wire/index.ts';
import type { Entry } from '../ports/store.ts';
import { positionOf, isOther, type LogPosition } from './log-position.ts';

/** New facts of one task, as one turn of the event loop brought them. Their array is shared by all viewers. */
export interface Batch {
  /** Dense, at least one. */
  readonly entries: readonly Entry[];
  readonly first: number;
  /** The fact that the first one was written after. */
  readonly after: LogPosition;
  readonly last: LogPosition;
  readonly bytes: number;
  /** True when nothing can follow. */
  readonly ended: boolean;
}

/** Makes a batch; undefined where the facts are none, or not dense. */
export function batchOf(entries: readonly Entry[], ended: boolean, before: EventId | null): Batch | undefined {
  const first = positionOf(entries[0]?.eventId).n;
  const last = positionOf(entries.at(-1)?.eventId);
  if (entries.length === 0 || last.n - first + 1 !== entries.length) return undefined;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.byteLength, 0);
  return { entries, first, after: positionOf(before), last, bytes, ended };
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

/** What of a batch a viewer has not had yet; undefined where it does not continue what the viewer has: a hole, or another history. */
export function freshOf(batch: Batch, cursor: LogPosition): readonly Entry[] | undefined {
  const skipped = cursor.n + 1 - batch.first;
  if (skipped < 0) return undefined;
  const here = skipped === 0 ? batch.after : positionOf(batch.entries[skipped - 1]?.eventId);
  if (isOther(cursor, here)) return undefined;
  return skipped === 0 ? batch.entries : batch.entries.slice(skipped);
}

const heads = new WeakMap<readonly Entry[], readonly Entry[]>();

/** The first of many facts; the same array for all who take as many of the same ones, so that they are framed once. */
export function headOf(entries: readonly Entry[], most: number): readonly Entry[] {
  if (entries.length <= most) return entries;
  const known = heads.get(entries);
  if (known?.length === most) return known;
  const head = entries.slice(0, most);
  heads.set(entries, head);
  return head;
}

/** As many facts as fit; at least one where there is any room. */
export function fittingOf(entries: readonly Entry[], room: number): readonly Entry[] {
  if (room <= 0) return [];
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    bytes += entry.bytes.byteLength;
    if (bytes > room) return entries.slice(0, Math.max(1, index));
  }
  return entries;
}
