import * as z from 'zod/mini';
import type { EventId } from './event-id.ts';
import { jsonFault, text, textId } from './json.ts';
import { limits } from './limits.ts';

/**
 * What a part is: texts for people (`text`, `reasoning`), the input of a tool, lines of JSON, all of which only grow; or one JSON value that is
 * replaced (`latest`). A closed set, as all enumerations of the wire.
 */
export const partKinds = ['text', 'reasoning', 'tool-input', 'jsonl', 'latest'] as const;

/** What is said of a part beside its name: a flat object. A field that is undefined is one that is not there. */
export interface PartAttributes {
  readonly [name: string]: string | number | boolean | null | undefined;
}

/** A flat object of texts, numbers, booleans and null, of at most `partAttributesBytesMax` as JSON. */
export const partAttributes = z.custom<PartAttributes>().check(
  z.check<unknown>((payload) => {
    const message = attributesFault(payload.value);
    if (message !== undefined) payload.issues.push({ code: 'custom', message, input: payload.value });
  }),
);

function attributesFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object';
  if (Object.values(value).some((each) => typeof each === 'object' && each !== null)) return 'must be flat: no objects and no lists in it';
  const fault = jsonFault(value);
  if (fault !== undefined) return fault;
  const bytes = bytesOf(JSON.stringify(value));
  return bytes > limits.partAttributesBytesMax ? `has ${bytes} bytes as JSON, of at most ${limits.partAttributesBytesMax}` : undefined;
}

/** The payload of `TASK_PART_OPENED`. */
export const partOpened = z.strictObject({ name: textId, kind: z.enum(partKinds), attributes: z.optional(partAttributes) });

/**
 * The payload of `TASK_PART_CLOSED`. What it has of the text is all of it: as many bytes as it says. Of a value that is replaced it says so, its `bytes` count how often
 * that was written, and the text is the last one as JSON, '' where there was none.
 */
export const partClosed = z
  .strictObject({
    part: z.int().check(z.minimum(1)),
    bytes: z.int().check(z.minimum(0), z.maximum(limits.partBytesMax)),
    outcome: z.enum(['DONE', 'ABANDONED']),
    text: z.optional(text(limits.partTextBytesMax)),
    kind: z.optional(z.literal('latest')),
  })
  .check(
    z.check<{ readonly bytes: number; readonly text?: string | undefined; readonly kind?: 'latest' | undefined }>((payload) => {
      const { bytes, text: whole, kind } = payload.value;
      const found = whole === undefined ? bytes : bytesOf(whole);
      if (whole !== undefined && found > limits.partTextBytesMax)
        payload.issues.push({ code: 'too_big', maximum: limits.partTextBytesMax, origin: 'string', input: whole, path: ['text'] });
      else if (kind !== undefined && whole !== undefined) {
        const message = valueFault(whole, bytes);
        if (message !== undefined) payload.issues.push({ code: 'custom', message, input: whole, path: ['text'] });
      } else if (found !== bytes)
        payload.issues.push({ code: 'custom', message: `has ${found} bytes, and not ${bytes}`, input: whole, path: ['text'] });
    }),
  );

/** How far a client has come in a part. */
export interface PartCursor {
  /** In bytes of UTF-8; of `latest` the version, which is how often it was written. */
  readonly offset: number;
  /** As a frame said it. */
  readonly epoch: string;
}
/** By the whole id of the fact that opened the part. */
export type PartCursors = ReadonlyMap<EventId, PartCursor>;

const PART_CURSOR = /^([1-9]\d{0,15}-\d{1,16})\.(0|[1-9]\d{0,6})\.([\w-]{1,64})$/;

/** Reads part cursors, `<event id>.<offset>.<epoch>` each with commas between, 16 at most; undefined for what is none. */
export function readPartCursors(given: string): PartCursors | undefined {
  const cursors = new Map<EventId, PartCursor>();
  const each = given === '' ? [] : given.split(',');
  if (each.length > limits.openPartsMax) return undefined;
  for (const cursor of each) {
    const [, lane, offset, epoch] = PART_CURSOR.exec(cursor) ?? [];
    if (lane === undefined || offset === undefined || epoch === undefined) return undefined;
    // Its form is that of an event id.
    cursors.set(lane as EventId, { offset: Number(offset), epoch });
  }
  return cursors;
}

/** Part cursors as a server takes them. */
export const partCursors = z
  .string()
  .check(
    z.refine(
      (given) => readPartCursors(given) !== undefined,
      `must be at most ${limits.openPartsMax} part cursors like "12-1790000000000.8040.<epoch>", with commas between`,
    ),
  );

/** Why a text is not the value that was written last, of so many. */
function valueFault(value: string, versions: number): string | undefined {
  if (value === '' || versions === 0)
    return value === '' && versions === 0 ? undefined : `has ${value.length} characters after ${versions} values`;
  try {
    JSON.parse(value);
    return undefined;
  } catch {
    return 'is no JSON';
  }
}

/** Bytes of a text as they are stored and sent. */
function bytesOf(characters: string): number {
  return new TextEncoder().encode(characters).byteLength;
}
