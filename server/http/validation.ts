import * as z from 'zod/mini';
import { jsonFault, limits, type JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';

type Issue = z.core.$ZodIssue;

/** Longest path and most entries that `details` gives back: the caller chose both. */
const PATH_CHARACTERS_MAX = 256;
const ERRORS_MAX = 64;

/**
 * Checks a body, a query or a frame against its schema, or throws `REQUEST_VALIDATION_ERROR` whose `details.errors` has `{ path, reason }` for
 * each bad field (`input.rows`), one for each unknown field too; the path is empty where the whole is wrong. Beyond 64 entries,
 * `details.omitted` counts the rest.
 */
export function validate<T extends z.core.$ZodType>(schema: T, value: unknown): z.core.output<T> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error.issues.flatMap((issue) => entries(issue, value)));
}

/** The 422 for faults that were found already. */
export function validationError(errors: readonly { readonly path: string; readonly reason: string }[]): TaskBridgeError {
  const listed = errors.slice(0, ERRORS_MAX).map(({ path, reason }) => ({ path: path.slice(0, PATH_CHARACTERS_MAX), reason }));
  const omitted = errors.length - listed.length;
  const details: JsonObject = omitted > 0 ? { errors: listed, omitted } : { errors: listed };
  return new TaskBridgeError('REQUEST_VALIDATION_ERROR', 'The request has fields that are missing, unknown or out of range.', { details });
}

function entries(issue: Issue, whole: unknown): { path: string; reason: string }[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: dotted([...issue.path, key]), reason: 'is unknown' }));
  const value = at(whole, issue.path);
  const inner = issue.code === 'custom' && typeof value === 'object' && value !== null ? (faultPath(value) ?? []) : [];
  return [{ path: dotted([...issue.path, ...inner]), reason: reasonOf(issue, value) }];
}

function reasonOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is required' : `must be ${article(issue.expected)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters long' : ''}`;
    case 'too_small':
      return `must be at least ${String(issue.minimum)}${issue.origin === 'string' ? ' characters long' : ''}`;
    case 'invalid_value':
      return `must be ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}`;
    // The schemas' own checks say what they want.
    case 'custom':
    case 'invalid_format':
      return issue.message;
    default:
      return 'is not valid';
  }
}

function article(expected: string): string {
  return `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (here, key) => (typeof here === 'object' && here !== null && Object.hasOwn(here, key) ? Reflect.get(here, key) : undefined),
    value,
  );
}

/** Where inside a free-form field the fault is that its schema only names. Looks at each value once, as `jsonFault` does. */
function faultPath(value: unknown, depth = 1): string[] | undefined {
  if (typeof value !== 'object' || value === null || depth > limits.nestingMax)
    return jsonFault(value, depth) === undefined ? undefined : [];
  for (const [key, inner] of Object.entries(value)) {
    const path = jsonFault(key) === undefined ? faultPath(inner, depth + 1) : [];
    if (path) return [key, ...path];
  }
  return undefined;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
