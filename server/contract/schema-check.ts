import { jsonFault, limits, type Json } from '../../machines/wire/index.ts';
import type { ReadSchema, SchemaIssue } from '../../machines/contract/index.ts';
import type { SchemaFault } from '../schema-faults.ts';

/** The longest text of a schema's own that an error gives back: messages may list what the caller wrote. */
const REASON_CHARACTERS_MAX = 256;

/** What a schema says of a value: the JSON that it makes of it, or what is wrong with it. */
export type Checked =
  { readonly value: Json; readonly faults?: undefined } | { readonly value?: undefined; readonly faults: readonly SchemaFault[] };

/**
 * Checks a value by a schema of a contract. Paths begin with `root`. Throws a `TypeError` for a schema that gives no result, and for one that makes
 * what is no JSON of it, such as a date: it could not be kept.
 */
export async function checkBySchema(schema: ReadSchema, value: unknown, root: string): Promise<Checked> {
  const result: unknown = await schema.validate(value);
  // A schema that forgets to return has checked nothing.
  if (typeof result !== 'object' || result === null) throw new TypeError(`The schema of ${root} gave no result.`);
  const { issues, value: made } = result as { readonly issues?: readonly SchemaIssue[]; readonly value?: unknown };
  if (issues !== undefined) return { faults: issues.map((issue) => faultOf(issue, root)) };
  const fault = madeFault(made, root);
  if (fault !== undefined) throw new TypeError(`The schema of ${root} makes no JSON: ${fault}.`);
  // Fields that are undefined are left out, as in JSON.
  return { value: JSON.parse(JSON.stringify(made)) as Json };
}

/** The faults as one text, the first of them in full. */
export function faultText([first, ...more]: readonly SchemaFault[]): string {
  if (!first) return 'it is not valid';
  return `${first.path} ${first.reason}${more.length > 0 ? `, and ${more.length} more` : ''}`;
}

function faultOf({ path = [], message }: SchemaIssue, root: string): SchemaFault {
  const text = String(message);
  return {
    path: [root, ...path.map((segment) => String(typeof segment === 'object' ? segment.key : segment))].join('.'),
    reason: text.length > REASON_CHARACTERS_MAX ? `${text.slice(0, REASON_CHARACTERS_MAX - 1)}…` : text,
  };
}

/** Why what a schema made is no JSON, and where. Unlike what came over the wire, it may be of any class. */
function madeFault(made: unknown, path: string, depth = 1): string | undefined {
  if (typeof made !== 'object' || made === null) {
    const fault = jsonFault(made, depth);
    return fault && `${path} ${fault}`;
  }
  // Deeper than the wire allows: said without walking on, since it may be a cycle.
  const tooDeep = depth > limits.nestingMax ? `${path} is nested deeper than ${limits.nestingMax}` : undefined;
  if (tooDeep !== undefined) return tooDeep;
  const prototype: unknown = Object.getPrototypeOf(made);
  const isPlain = Array.isArray(made) || prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) return `${path} is no plain object (${Object.prototype.toString.call(made).slice(8, -1)})`;
  for (const [key, member] of Object.entries(made)) {
    const fault = member === undefined && !Array.isArray(made) ? undefined : madeFault(member, `${path}.${key}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
