import { isUtf8 } from 'node:buffer';
import { expect, test } from 'vitest';
import type { PartFrame } from '../../machines/parts/index.ts';
import { eventId } from '../../machines/wire/index.ts';
import { ESCAPE_BYTES_MAX, writeJsonText } from '../../server/live/json-text.ts';
import { endOf, frameOf, joinedChunk, type PartChunk } from '../../server/live/part-frames.ts';

function framed(bytes: Uint8Array): { readonly frame: PartFrame; readonly isText: boolean } {
  const about = { type: 'PART', taskId: 'a', part: 2, at: 0, to: bytes.byteLength, name: 'büro “1”' } as const;
  const [entry] = frameOf(eventId(2, 1), about, bytes);
  const made = Buffer.from(entry?.bytes ?? []);
  return { frame: JSON.parse(made.toString('utf8')) as PartFrame, isText: isUtf8(made) };
}

const everyCharacter = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('') + '🙂\u{10ffff}';

/** Bytes are looked at four at once: each is the first, the second, … of its four, beside others of them and alone. */
const escapedAtEachPlace = Array.from({ length: 0x80 }, (_, code) => String.fromCodePoint(code))
  .flatMap((character) => ['a', 'ab', 'abc', 'abcd', '"', 'é\\n', ''].map((before) => `${before}${character}\u{1f}!`))
  .join('');

test.each([
  ['nothing', ''],
  ['every character that JSON escapes, and those beyond ASCII', everyCharacter],
  ['every character that JSON escapes, at each place among others', escapedAtEachPlace],
  ['characters of two bytes, wherever they are cut', `x${'é'.repeat(40_000)}`],
  ['characters of four bytes, wherever they are cut', `xyz${'🙂'.repeat(20_000)}`],
])('a frame says %s as it is', (_, text) => {
  const { frame, isText } = framed(Buffer.from(text));
  expect([frame.text === text, frame.name, isText]).toEqual([true, 'büro “1”', true]);
});

test('a frame of bytes that are no text is text all the same: no client leaves its connection for it', () => {
  const { frame, isText } = framed(Buffer.from([0x61, 0xff, 0x62, 0xc3]));
  expect([frame.text, isText]).toEqual(['a\ufffdb\ufffd', true]);
});

test('of two values that came in one turn the newer one is shown, however short they are, and of a text both pieces', () => {
  const epoch = { mark: 'e', was: null, from: 0 };
  const chunk = (at: number, text: string, latest?: true): PartChunk => ({
    lane: eventId(2, 1),
    epoch,
    at,
    bytes: Buffer.from(text),
    latest,
  });
  const shown = (made: PartChunk | undefined) => made && [made.at, Buffer.from(made.bytes).toString(), endOf(made)];
  expect(shown(joinedChunk(chunk(3, '5', true), chunk(4, '6', true)))).toEqual([4, '6', 5]);
  expect(shown(joinedChunk(chunk(3, '{"a":5}', true), chunk(4, '{"a":6}', true)))).toEqual([4, '{"a":6}', 5]);
  expect(shown(joinedChunk(chunk(3, '5'), chunk(4, '6')))).toEqual([3, '56', 5]);
  // What is too long to be told is told by its place alone, and is read.
  expect(endOf(chunk(4, '', true))).toBe(4);
});

test('a frame that would be longer than any that is made of a part is whole', () => {
  const text = '\u0001"\n'.repeat(300_000);
  expect(framed(Buffer.from(text)).frame.text === text).toBe(true);
});

test('the text of a frame is escaped as `JSON.stringify` does', () => {
  const made = (text: string): string => {
    const into = Buffer.alloc(Buffer.byteLength(text) * ESCAPE_BYTES_MAX);
    return into.toString('utf8', 0, writeJsonText(Buffer.from(text), into, 0));
  };
  expect([made(everyCharacter), made(escapedAtEachPlace)]).toEqual(
    [everyCharacter, escapedAtEachPlace].map((text) => JSON.stringify(text).slice(1, -1)),
  );
});
