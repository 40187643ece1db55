import { limits, type FactPayload } from '../../machines/wire/index.ts';
import type { SealedLane } from './lane-record.ts';

/** Of a fact's room, what its envelope and all of its payload but the text takes, in bytes. */
const ENVELOPE_BYTES = 1024;
/** A character of JSON, at most: an escape, in bytes. */
const CHARACTER_BYTES_MAX = 6;

/** What the fact that closes a part says of its text: all of it, where it is short enough, and its length in any case. */
export function closingText(
  { bytes, text, latest }: SealedLane,
  factBytesMax: number,
): Pick<FactPayload<'TASK_PART_CLOSED'>, 'bytes' | 'text' | 'kind'> {
  const textBytes = latest && text !== undefined ? Buffer.byteLength(text) : bytes;
  const fits = text !== undefined && textBytes <= limits.partTextBytesMax && jsonBytes(text) + ENVELOPE_BYTES <= factBytesMax;
  return { bytes, ...(fits && { text }), ...(latest && { kind: 'latest' }) };
}

/** A text as messages, in order: one, where a fact has room for all of it; none of nothing. No character is cut in two. */
export function messagesOf(text: string, factBytesMax: number): readonly string[] {
  const room = Math.max(CHARACTER_BYTES_MAX, Math.min(factBytesMax, limits.factBytesMax) - ENVELOPE_BYTES);
  if (text === '') return [];
  if (jsonBytes(text) <= room) return [text];
  const messages: string[] = [];
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < text.length;) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const more = jsonBytes(character);
    if (bytes + more > room && at > from) {
      messages.push(text.slice(from, at));
      from = at;
      bytes = 0;
    }
    bytes += more;
    at += character.length;
  }
  return [...messages, text.slice(from)];
}

/** Bytes of a text within JSON, without its quotes. */
function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
