import { AssertionError } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';

/** Throws unless both are alike: the same values in the same places. Absent is the same as undefined; prototypes do not count. */
export function same(actual: unknown, expected: unknown, what = 'the values'): void {
  if (!isDeepStrictEqual(bare(actual), bare(expected))) fail(`${what} differ`, actual, expected);
}

/** Throws unless everything that is expected is there and alike; there may be more. Lists have to have the same length. */
export function includes(actual: unknown, expected: unknown, what = 'the value'): void {
  if (!covers(bare(actual), bare(expected))) fail(`${what} lacks something`, actual, expected);
}

/** Throws unless it holds. */
export function holds(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError({ message });
}

/** Gives what is there, throws for undefined and null. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null) throw new AssertionError({ message: `${what} is missing`, actual: value });
  return value;
}

/** Throws unless the text has the pattern or holds the text. */
export function says(actual: unknown, expected: RegExp | string, what = 'the text'): void {
  const text = typeof actual === 'string' ? actual : inspect(actual);
  if (typeof expected === 'string' ? !text.includes(expected) : !expected.test(text)) fail(`${what} does not say it`, actual, expected);
}

/** Rejects unless the promise rejects with an error whose message says this. */
export async function rejects(promise: Promise<unknown>, expected: RegExp | string): Promise<void> {
  const error = await promise.then(
    (value) => fail('a promise was to reject, and did not', value, expected),
    (reason: unknown) => reason,
  );
  if (error instanceof AssertionError && error.operator === 'claim') throw error;
  says(error instanceof Error ? error.message : error, expected, 'the message of the rejection');
}

/** Rejects unless the promise rejects with a value that has at least these members. */
export async function rejectsWith(promise: Promise<unknown>, expected: object): Promise<void> {
  const error = await promise.then(
    (value) => fail('a promise was to reject, and did not', value, expected),
    (reason: unknown) => reason,
  );
  if (error instanceof AssertionError && error.operator === 'claim') throw error;
  includes(error, expected, 'the rejection');
}

function fail(what: string, actual: unknown, expected: unknown): never {
  const show = (value: unknown): string => inspect(value, { depth: 8, maxArrayLength: 40, maxStringLength: 400, breakLength: 120 });
  throw new AssertionError({
    message: `${what}\n  expected ${show(expected)}\n  but got  ${show(actual)}`,
    actual,
    expected,
    operator: 'claim',
  });
}

function covers(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected))
    return Array.isArray(actual) && actual.length === expected.length && expected.every((each, i) => covers(actual[i], each));
  if (!isRecord(expected)) return isDeepStrictEqual(actual, expected);
  return isRecord(actual) && Object.entries(expected).every(([name, value]) => covers(actual[name], value));
}

/** The value without what does not count: absent members and prototypes of records. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (!isRecord(value)) return value;
  const members = Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name, bare(member)] as const]));
  return Object.assign(Object.create(null) as object, Object.fromEntries(members));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
