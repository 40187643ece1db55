import * as z from 'zod/mini';
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

/** The payload of `TASK_PART_CLOSED`. What it has of the text is all of it: as many bytes as it says. */
export const partClosed = z
  .strictObject({
    part: z.int().check(z.minimum(1)),
    bytes: z.int().check(z.minimum(0), z.maximum(limits.partBytesMax)),
    outcome: z.enum(['DONE', 'ABANDONED']),
    text: z.optional(text(limits.partTextBytesMax)),
  })
  .check(
    z.check<{ readonly bytes: number; readonly text?: string | undefined }>((payload) => {
      const { bytes, text: whole } = payload.value;
      const found = whole === undefined ? bytes : bytesOf(whole);
      if (whole !== undefined && found > limits.partTextBytesMax)
        payload.issues.push({ code: 'too_big', maximum: limits.partTextBytesMax, origin: 'string', input: whole, path: ['text'] });
      else if (found !== bytes)
        payload.issues.push({ code: 'custom', message: `has ${found} bytes, and not ${bytes}`, input: whole, path: ['text'] });
    }),
  );

/** Bytes of a text as they are stored and sent. */
function bytesOf(characters: string): number {
  return new TextEncoder().encode(characters).byteLength;
}
