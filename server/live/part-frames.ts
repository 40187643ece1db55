import { isUtf8 } from 'node:buffer';
import type { PartFrame } from '../../machines/parts/index.ts';
import type { EventId, FactPayload } from '../../machines/wire/index.ts';
import type { Epoch, PartPage } from '../ports/lanes.ts';
import type { Entry } from '../ports/store.ts';
import { ESCAPE_BYTES_MAX, writeJsonText } from './json-text.ts';

/** Text of one frame, at most, in bytes. */
export const FRAME_BYTES_MAX = 128 * 1024;

/** Bytes that the tail told of, of one lane. Shared by all viewers. */
export interface PartChunk {
  readonly lane: EventId;
  readonly epoch: Epoch;
  readonly at: number;
  readonly bytes: Uint8Array;
  /** They are a whole value, which replaces the one before; none where it is too long to be told. */
  readonly latest?: true | undefined;
  /** As viewers get it who have what is before it: made for the first of them. */
  frames?: readonly Entry[];
  /** As those get it to whom it is the first of its lane. */
  firstFrames?: readonly Entry[];
}

type PartKind = FactPayload<'TASK_PART_OPENED'>['kind'];

/** What a fact says of a part. */
export type PartFact =
  | { readonly type: 'opened'; readonly lane: EventId; readonly name: string; readonly kind: PartKind }
  | { readonly type: 'closed'; readonly part: number; readonly bytes: number; readonly isInline: boolean };

/** How long a lane is behind a run of its bytes: in bytes, of a value in versions. */
export function endOf({ at, bytes, latest }: Pick<PartChunk, 'at' | 'bytes' | 'latest'>): number {
  return at + (latest ? Math.min(1, bytes.byteLength) : bytes.byteLength);
}

/** Puts a chunk before the next one of its lane, where they are one run and not too long for a frame. */
export function joinedChunk({ lane, epoch, at, bytes, latest }: PartChunk, next: PartChunk): PartChunk | undefined {
  const isNext = next.lane === lane && next.epoch.mark === epoch.mark && next.at === endOf({ at, bytes, latest });
  if (isNext && latest) return next;
  if (!isNext || bytes.byteLength + next.bytes.byteLength > FRAME_BYTES_MAX) return undefined;
  return { lane, epoch, at, bytes: Buffer.concat([bytes, next.bytes]) };
}

/** A chunk as all viewers get it who have what is before it; the same array for all of them, so that it is framed once. */
export function chunkFrame(taskId: string, part: number, chunk: PartChunk): readonly Entry[] {
  const { at, bytes, lane } = chunk;
  return (chunk.frames ??= frameOf(lane, { type: 'PART', taskId, part, at, to: endOf(chunk) }, bytes));
}

const END = '"}';
/** What stands around the text of a frame, mostly. */
const AROUND_BYTES = 8 * 1024;
/** Where frames are made, one after the other: how long one becomes is known at its end. */
let workspace: Buffer | undefined;

/**
 * A frame of a viewer's own. It has no id on the wire: it moves no cursor of facts. Its text is never decoded: JSON escapes nothing beyond ASCII, so that
 * bytes of UTF-8 come out as they went in.
 */
export function frameOf(eventId: EventId, about: Omit<PartFrame, 'text'>, text: Uint8Array): readonly Entry[] {
  // Whatever a store gives, a frame is UTF-8.
  const raw = isUtf8(text) ? text : Buffer.from(Buffer.from(text).toString('utf8'));
  const before = `${JSON.stringify(about).slice(0, -1)},"text":"`;
  const room = Buffer.byteLength(before) + raw.byteLength * ESCAPE_BYTES_MAX + END.length;
  workspace ??= Buffer.allocUnsafeSlow(FRAME_BYTES_MAX * ESCAPE_BYTES_MAX + AROUND_BYTES);
  const into = room <= workspace.byteLength ? workspace : Buffer.allocUnsafe(room);
  const end = writeJsonText(raw, into, into.write(before));
  return [{ eventId, bytes: Buffer.from(into.subarray(0, end + into.write(END, end))) }];
}

const OPENED = Buffer.from('{"type":"TASK_PART_OPENED"');
const CLOSED = Buffer.from('{"type":"TASK_PART_CLOSED"');

/** What a fact says of a part; undefined for all others, which are not read. */
export function partFactOf({ eventId, bytes }: Entry): PartFact | undefined {
  const fact = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begins = (with_: Buffer): boolean => fact.subarray(0, with_.length).equals(with_);
  if (begins(OPENED)) {
    // Written by this library, checked then.
    const { payload } = JSON.parse(fact.toString('utf8')) as { readonly payload: FactPayload<'TASK_PART_OPENED'> };
    return { type: 'opened', lane: eventId, name: payload.name, kind: payload.kind };
  }
  if (!begins(CLOSED)) return undefined;
  const { payload } = JSON.parse(fact.toString('utf8')) as { readonly payload: FactPayload<'TASK_PART_CLOSED'> };
  return { type: 'closed', part: payload.part, bytes: payload.bytes, isInline: payload.text !== undefined };
}

/** The bytes that were read of a lane from a place on, in runs of one frame each, without a character whose end is not among them; of a value all of it. */
export function chunksOf(lane: EventId, { bytes: all, epoch, length, latest }: PartPage, at: number): readonly PartChunk[] {
  if (latest) return all.byteLength > 0 ? [{ lane, epoch, at: length - 1, bytes: all, latest }] : [];
  const chunks: PartChunk[] = [];
  for (let from = 0; from < all.byteLength;) {
    const bytes = wholeCharacters(all.subarray(from, from + FRAME_BYTES_MAX));
    if (bytes.byteLength === 0) break;
    chunks.push({ lane, epoch, at: at + from, bytes });
    from += bytes.byteLength;
  }
  return chunks;
}

/** The bytes without the beginning of a character whose rest is not among them. */
export function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let start = bytes.byteLength - 1;
  while (start >= 0 && start > bytes.byteLength - 4 && isContinuation(bytes[start])) start -= 1;
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start >= 0 && start + length > bytes.byteLength ? bytes.subarray(0, start) : bytes;
}

/** True where bytes begin in the midst of a character. */
export function beginsWithin(bytes: Uint8Array): boolean {
  return isContinuation(bytes[0]);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
