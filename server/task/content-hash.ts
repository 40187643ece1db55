import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../machines/wire/index.ts';
import type { AttachmentReference } from '../ports/attachments.ts';
import type { PathParams } from '../ports/auth.ts';

/** JSON with the keys of every object in order, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value as { readonly [key: string]: Json })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 of a text, as 64 hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What a create asks for, without the ids that it comes with. */
export interface CreateContent {
  readonly taskType: string;
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** What stood in the path of the create where that has names; absent where there are none. */
  readonly params?: PathParams;
  /** Without their keys, which are new with every request. */
  readonly attachments: readonly Omit<AttachmentReference, 'key'>[];
}

/** What has to be equal in two creates of one request id, so that the second is a repeat of the first and no conflict. */
export type IdempotencyPayload = (content: CreateContent) => Json;

/** Type, input, parameters of the path, and the files' names, types and bytes; metadata is left out. */
const defaultPayload: IdempotencyPayload = ({ taskType, input, params, attachments }) => ({
  taskType,
  input,
  // Only where there are any, so that the hash of all others is what it always was.
  ...(params && { params: { ...params } }),
  attachments: attachments.map(({ fileName, contentType, bytes, sha256: hash }) => ({ fileName, contentType, bytes, sha256: hash })),
});

/** What tells a repeated create from a conflicting one. Throws where the host's function gives nothing: all its creates would be the same. */
export function contentHash(
  {
    taskType,
    input,
    metadata,
    params,
    attachments,
  }: Omit<CreateContent, 'attachments'> & { readonly attachments: readonly AttachmentReference[] },
  payloadOf: IdempotencyPayload = defaultPayload,
): string {
  const payload = payloadOf({
    taskType,
    input,
    metadata,
    ...(params && { params }),
    attachments: attachments.map(({ key: _, ...file }) => file),
  });
  // Callers without TypeScript forget a return.
  if ((payload as Json | undefined) === undefined) throw new TypeError('idempotencyPayload gave nothing: return what has to be equal.');
  return sha256(canonicalJson(payload));
}

/** The key under which an owner's request is found again. */
export function requestKeyOf(owner: string, clientRequestId: string): string {
  return sha256(canonicalJson([owner, clientRequestId]));
}
