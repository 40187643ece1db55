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
/** As far as the ids of other servers go: two counters of 64 bits. */
const PARTS = /^0*(\d{1,20})(?:-0*(\d{1,20}))?$/;

/** Makes the id of the `n`th fact, written at `ms`. */
export function eventId(n: number, ms: number): EventId {
  return `${n}-${ms}` as EventId;
}

/** The digits of both halves. */
function digitsOf(id: string): readonly [string, string] | undefined {
  const [, n, ms = '0'] = PARTS.exec(id) ?? [];
  return n === undefined ? undefined : [n, ms];
}

/**
 * Splits an id into numbers, or gives `undefined` where it has another form. A plain number counts as `n-0`. Numbers of 2^53 and above, which
 * this server never issues, are rounded: compare ids by {@link compareEventIds}, count them by {@link eventNumber}.
 */
export function parseEventId(id: string): EventIdParts | undefined {
  const digits = digitsOf(id);
  return digits && { n: Number(digits[0]), ms: Number(digits[1]) };
}

/** The number that orders an id, exactly; `undefined` where it has another form. */
export function eventNumber(id: string): bigint | undefined {
  const digits = digitsOf(id);
  return digits && BigInt(digits[0]);
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
  const left = digitsOf(a);
  const right = digitsOf(b);
  return left && right && (compareDigits(left[0], right[0]) || compareDigits(left[1], right[1]));
}

/** As numbers of any size: the longer one is the larger. */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}
