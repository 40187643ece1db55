/** As deep as the protocol's JSON may be. */
const DEPTH_MAX = 64;

/** True for two values of JSON that say the same; what is nested deeper than the protocol allows is taken for another. */
export function isSame(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || depth > DEPTH_MAX || Array.isArray(a) !== Array.isArray(b))
    return false;
  const fields = Object.entries(a);
  return (
    fields.length === Object.keys(b).length &&
    fields.every(([key, value]) => Object.hasOwn(b, key) && isSame(value, (b as Record<string, unknown>)[key], depth + 1))
  );
}

/** The object from before, where none of its fields has become another. */
export function keepSame<T extends object>(before: T | undefined, now: T): T {
  // At the greatest depth, fields are only the same where they are identical.
  return before && isSame(before, now, DEPTH_MAX) ? before : now;
}
