import type * as z from 'zod/mini';
import { jsonFault, limits } from '../machines/wire/index.ts';

type Issue = z.core.$ZodIssue;

/** What is wrong with one field of a value: where it is, with dots, and what it should be. The path is empty where the whole is wrong. */
export interface SchemaFault {
  readonly path: string;
  readonly reason: string;
}

/** What a schema says of a value that it refuses, field by field, one for each unknown field too. */
export function schemaFaults(issues: readonly Issue[], whole: unknown): SchemaFault[] {
  return issues.flatMap((issue) => entries(issue, whole));
}

/**
 * What stands at a path, for an error: a number or the like itself; else of what kind it is and how large, since what people wrote stays out of
 * errors.
 */
export function valueAt(whole: unknown, path: string): string {
  const value = path === '' ? whole : at(whole, path.split('.'));
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `an object with ${Object.keys(value).length} fields`;
  return String(value);
}

function entries(issue: Issue, whole: unknown): SchemaFault[] {
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
      return issue.origin === 'array'
        ? `must have at most ${String(issue.maximum)} entries`
        : `must be at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters long' : ''}`;
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
