import { isStart, parseEventId, type EventId, type Gap } from '../../machines/wire/index.ts';

/** How far somebody has read a log. */
export interface LogPosition {
  /** The number of the last fact that was read; 0 before the first. */
  readonly n: number;
  /** The fingerprint of that fact; null where there is none to compare with. */
  readonly ms: number | null;
}

/** Before the first fact that is still kept. */
export const startPosition: LogPosition = { n: 0, ms: null };

/** Reads a cursor as clients send it. Throws a `RangeError` for text that `isCursor` refuses: the edge checks that first. */
export function positionOf(text: string | null | undefined): LogPosition {
  if (text == null || isStart(text)) return startPosition;
  const parts = parseEventId(text);
  if (!parts) throw new RangeError(`${JSON.stringify(text)} is no cursor.`);
  return parts;
}

/** True for two facts of one number that are not the same one: they are of two histories. */
export function isOther(one: LogPosition, other: LogPosition): boolean {
  return one.n === other.n && one.ms !== null && other.ms !== null && one.ms !== other.ms;
}

/** What a read of the log says about its ends, and about the fact at a cursor. */
export interface LogEnds {
  readonly firstEventId: EventId | null;
  readonly lastEventId: EventId | null;
  /** The fact with the cursor's number, where the read shows it. */
  readonly atCursor?: EventId | undefined;
}

/** Where to go on: with the fact after number `after`. */
export interface Resumption {
  readonly after: number;
  readonly gap?: Gap;
}

/**
 * Says where a cursor goes on in a log. A cursor whose next fact is no longer kept has met a `trimmed` gap; one whose fact has another
 * fingerprint, or lies beyond the newest, comes from a history that was replaced, a `reset`. After both, the first fact that is still
 * kept is next. Source: protocol, "Facts".
 */
export function resumeAt(cursor: LogPosition, { firstEventId, lastEventId, atCursor }: LogEnds): Resumption {
  const last = positionOf(lastEventId);
  const first = firstEventId === null ? last.n + 1 : positionOf(firstEventId).n;
  const afresh = first - 1;
  if (cursor.n === 0) return { after: afresh };
  const replaced = cursor.n > last.n || isOther(cursor, last) || isOther(cursor, positionOf(atCursor));
  if (replaced) return { after: afresh, gap: { reason: 'reset', firstEventId } };
  if (cursor.n < afresh) return { after: afresh, gap: { reason: 'trimmed', firstEventId } };
  return { after: cursor.n };
}

/**
 * True when the store's newest id shows that a viewer has missed something: a newer fact, another fact of the same number, or a log that
 * was shorter than what the viewer had already when the store was asked (`asked`).
 */
export function isStale(now: LogPosition, asked: LogPosition, newest: EventId | null): boolean {
  const last = positionOf(newest);
  if (last.n === now.n) return isOther(last, now);
  return last.n > now.n || last.n < asked.n;
}
