import type { Rows } from './head.ts';
import type { RowKey } from './keys.ts';

/** Keys that are read in one turn of the event loop: one or two milliseconds. */
const KEYS_AT_ONCE = 500;

/** A run of keys. Neither of its ends is one of them. */
export interface KeyRange {
  readonly start: RowKey;
  readonly end: RowKey;
  /** From a larger `start` down to `end`. */
  readonly reverse?: boolean;
}

/** Reads keys, as many as asked for at most, and lets others have their turn meanwhile: what they write then may be among them or not. */
export async function keysInSlices(rows: Rows, { start, end, reverse = false }: KeyRange, limit: number): Promise<RowKey[]> {
  const keys: RowKey[] = [];
  for (let from = start; keys.length < limit;) {
    const atOnce = Math.min(KEYS_AT_ONCE, limit - keys.length);
    const slice = [...rows.getKeys({ start: from, exclusiveStart: true, end, reverse, limit: atOnce })];
    keys.push(...slice);
    from = slice.at(-1) ?? end;
    if (slice.length < atOnce) break;
    if (keys.length < limit) await nextTurn();
  }
  return keys;
}

/** Lets others have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
