import * as crypto from 'node:crypto';
import { jsonFault, limits, type Json, type JsonObject } from '../../machines/wire/index.ts';
import type { AttachmentReference } from '../ports/attachments.ts';
import type { PathParams } from '../ports/auth.ts';
import type { NewTaskRequest } from './service.ts';

/** JSON with the keys of every object in order, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  const parts: string[] = [];
  writeCanonical(value, parts);
  return parts.join('');
}

/** Of so many values, one text and one list of parts: nothing is joined twice. */
function writeCanonical(value: Json, parts: string[]): void {
  if (typeof value === 'string') return void parts.push(quoted(value));
  if (typeof value !== 'object' || value === null) return void parts.push(JSON.stringify(value));
  if (Array.isArray(value)) return writeList(value as readonly Json[], parts);
  // A caller in this process may give a date: it counts as what is stored of it.
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return writeCanonical(toJSON.call(value) as Json, parts);
  const members = value as { readonly [key: string]: Json };
  let mark = '{';
  // By code units.
  for (const key of Object.keys(members).sort()) {
    parts.push(mark, quoted(key), ':');
    writeCanonical(members[key] as Json, parts);
    mark = ',';
  }
  parts.push(mark === '{' ? '{}' : '}');
}

function writeList(items: readonly Json[], parts: string[]): void {
  let mark = '[';
  for (const item of items) {
    parts.push(mark);
    writeCanonical(item, parts);
    mark = ',';
  }
  parts.push(mark === '[' ? '[]' : ']');
}

// What has to be escaped, as JSON.stringify does: quotes, backslashes, controls and half characters.
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;

/** As JSON.stringify has it, which takes longer for the many texts that need no escape. */
function quoted(text: string): string {
  return text.length < 100 && !ESCAPED.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** In one call, where Node has that (from 20.12 on): it takes a third. */
const hashAtOnce: typeof crypto.hash | undefined = crypto.hash;

/** SHA-256 of a text, as 64 hex digits. */
export function sha256(text: string): string {
  return hashAtOnce ? hashAtOnce('sha256', text, 'hex') : crypto.createHash('sha256').update(text).digest('hex');
}

/** What a create asks for, without the ids that it comes with. */
export interface CreateContent {
  readonly taskType: string;
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** Absent where it comes without one. */
  readonly title?: string;
  /** Absent where it comes without any. */
  readonly labels?: readonly string[];
  /** What stood in the path of the create where that has names; absent where there are none. */
  readonly params?: PathParams;
  /** Without their keys, which are new with every request. */
  readonly attachments: readonly Omit<AttachmentReference, 'key'>[];
}

/** What has to be equal in two creates of one request id, so that the second is a repeat of the first and no conflict. */
export type IdempotencyPayload = (content: CreateContent) => Json;

/** Type, input, parameters of the path, and the files' names, types and bytes; metadata, title and labels are left out. */
const defaultPayload: IdempotencyPayload = ({ taskType, input, params, attachments }) => ({
  taskType,
  input,
  // Only where there are any, so that the hash of all others is what it always was.
  ...(params && { params: { ...params } }),
  attachments: attachments.map(({ fileName, contentType, bytes, sha256: hash }) => ({ fileName, contentType, bytes, sha256: hash })),
});

/**
 * What tells a repeated create from a conflicting one. Throws a `TypeError` where the host's function gives what is no JSON, such as nothing, a
 * promise, a date or a map: they all have one text, so that all its creates would be the same.
 */
export function contentHash(
  {
    taskType,
    input,
    metadata,
    title,
    labels = [],
    params,
    attachments,
  }: Omit<CreateContent, 'title' | 'labels' | 'attachments'> &
    Pick<NewTaskRequest, 'title' | 'labels'> & { readonly attachments: readonly AttachmentReference[] },
  payloadOf: IdempotencyPayload = defaultPayload,
): string {
  const payload: unknown = payloadOf({
    taskType,
    input,
    metadata,
    ...(title !== undefined && { title }),
    ...(labels.length > 0 && { labels }),
    ...(params && { params }),
    attachments: attachments.map(({ key: _, ...file }) => file),
  });
  // The default gives what the wire has checked.
  const fault = payloadOf === defaultPayload ? undefined : payloadFault(payload);
  if (fault !== undefined) {
    // Of an async function that fails, nobody waits for the promise: unheard, it would end the process.
    if (payload instanceof Promise) payload.catch(() => {});
    throw new TypeError(`idempotencyPayload must return JSON, at once: what it gave ${fault}.`);
  }
  return sha256(canonicalJson(payload as Json));
}

/** The wraps that a host's function may put around an input, which may be as deep as the wire allows. */
const PAYLOAD_NESTING_MAX = 2 * limits.nestingMax;

/** Why a value is no JSON, and where. Unlike the wire's, it comes from code: objects of classes, holes and cycles may be in it. */
function payloadFault(value: unknown, path = '', depth = 1): string | undefined {
  const at = path === '' ? '' : `has ${JSON.stringify(path.slice(1))}, which `;
  // Half a character is as good a text as any here: its hash tells it from others.
  if (typeof value === 'string') return undefined;
  if (typeof value !== 'object' || value === null) {
    const fault = jsonFault(value);
    return fault && at + fault;
  }
  if (depth > PAYLOAD_NESTING_MAX) return `is nested deeper than ${PAYLOAD_NESTING_MAX}`;
  if (!Array.isArray(value) && !isPlain(value)) return `${at}is no plain object (${Object.prototype.toString.call(value).slice(8, -1)})`;
  // Array.from makes values of holes.
  const members = Array.isArray(value) ? Array.from(value, (item: unknown, index) => [index, item] as const) : Object.entries(value);
  for (const [key, member] of members) {
    const fault = payloadFault(member, `${path}.${key}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Whether all that an object says stands in its members. That of another realm has another `Object.prototype`. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The key under which an owner's request is found again. */
export function requestKeyOf(owner: string, clientRequestId: string): string {
  return sha256(canonicalJson([owner, clientRequestId]));
}
