/**
 * Event ids and their one ordering.
 *
 * We issue `<n>-<ms>`: `n` counts 1, 2, 3 … within its task, `ms` is the store's clock (milliseconds since the epoch) when the fact was
 * written. `n` alone orders; `ms` is a fingerprint that tells a replaced history from the one a cursor was taken from.
 */

/** The id of one fact: `<n>-<ms>` from this server, any text from others. */
export type EventId = string & { readonly __brand: 'EventId' };

/** The two halves of an id of the form `a-b`, both non-negative integers. */
export interface EventIdParts {
  readonly n: number;
  readonly ms: number;
}

/** What a client may send as a cursor: a well-formed id, or nothing at all (`''`, `0-0`). Source: protocol, "Facts". */
const CURSOR = /^[1-9]\d{0,15}-\d{1,16}$/;
const PARTS = /^(\d{1,16})-(\d{1,16})$/;
const PLAIN = /^\d{1,16}$/;

/** Makes the id of the `n`th fact, written at `ms`. */
export function eventId(n: number, ms: number): EventId {
  return `${n}-${ms}` as EventId;
}

/** Splits an id into numbers, or gives `undefined` where it has another form. A plain number counts as `n-0`. */
export function parseEventId(id: string): EventIdParts | undefined {
  const parts = PARTS.exec(id);
  if (parts) return { n: Number(parts[1]), ms: Number(parts[2]) };
  return PLAIN.test(id) ? { n: Number(id), ms: 0 } : undefined;
}

/** True for a cursor that a server accepts: a well-formed id, or one of the two ways to say "from the start". */
export function isCursor(text: string): boolean {
  return isStart(text) || CURSOR.test(text);
}

/** True for the cursors that mean "from the first retained fact": absent, `''` and `0-0`. */
export function isStart(cursor: string | null | undefined): boolean {
  return cursor === undefined || cursor === null || cursor === '' || cursor === '0-0';
}

/**
 * Compares two ids: negative, zero or positive like any comparator, or `undefined` where they cannot be compared (one has another form).
 * The only place where ids are ordered.
 */
export function compareEventIds(a: string, b: string): number | undefined {
  if (a === b) return 0;
  const left = parseEventId(a);
  const right = parseEventId(b);
  if (!left || !right) return undefined;
  return left.n - right.n || left.ms - right.ms;
}
