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
  const path = expected instanceof RegExp ? [] : pathToDifference(bare(actual), bare(expected));
  const [wanted, given] = [expected, actual].map((value) => path.reduce<unknown>(memberOf, value));
  const where = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  const first = path.length === 0 ? '' : `: first ${where}, which was to be ${print(wanted, 2)} and is ${print(given, 2)}`;
  throw new AssertionError({
    message: `${what}${first}\n  expected ${show(expected, path[0])}\n  but got  ${show(actual, path[0])}`,
    actual,
    expected,
    operator: 'claim',
  });
}

const LONG = 8;

function print(value: unknown, depth = 8): string {
  const text = inspect(value, { depth, maxArrayLength: 40, maxStringLength: 400, breakLength: 120 });
  return text.replaceAll('\n', '\n  ');
}

function memberOf(value: unknown, name: string | number): unknown {
  return (value as Record<string | number, unknown> | undefined)?.[name];
}

/** The value; of a long list only what stands around the place that matters. */
function show(value: unknown, at: string | number | undefined): string {
  if (!Array.isArray(value) || value.length <= LONG || typeof at !== 'number') return print(value);
  const from = Math.max(0, at - 2);
  return `${print(value.slice(from, at + 2))}, which are [${from}] and following of ${value.length}`;
}

/** The way to the first place in which both differ. */
function pathToDifference(actual: unknown, expected: unknown): (string | number)[] {
  const names = ((): (string | number)[] => {
    if (Array.isArray(actual) && Array.isArray(expected)) return [...Array(Math.max(actual.length, expected.length)).keys()];
    return isRecord(actual) && isRecord(expected) ? [...new Set([...Object.keys(expected), ...Object.keys(actual)])] : [];
  })();
  const found = names.find((name) => !isDeepStrictEqual(memberOf(actual, name), memberOf(expected, name)));
  return found === undefined ? [] : [found, ...pathToDifference(memberOf(actual, found), memberOf(expected, found))];
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
