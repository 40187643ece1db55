import { createHash } from 'node:crypto';
import type { Json } from '../../machines/wire/index.ts';
import type { AttachmentReference } from '../ports/attachments.ts';

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

/** What tells a repeated create from a conflicting one: type, input and the files' names, types and bytes; metadata is left out. */
export function contentHash(taskType: string, input: Json, attachments: readonly AttachmentReference[]): string {
  const files = attachments.map(({ fileName, contentType, bytes, sha256: hash }) => ({ fileName, contentType, bytes, sha256: hash }));
  return sha256(canonicalJson({ taskType, input, attachments: files }));
}

/** The key under which an owner's request is found again. */
export function requestKeyOf(owner: string, clientRequestId: string): string {
  return sha256(canonicalJson([owner, clientRequestId]));
}
