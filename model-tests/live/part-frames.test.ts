import { isUtf8 } from 'node:buffer';
import { expect, test } from 'vitest';
import type { PartFrame } from '../../machines/parts/index.ts';
import { eventId } from '../../machines/wire/index.ts';
import { endOf, frameOf, joinedChunk, type PartChunk } from '../../server/live/part-frames.ts';

function framed(bytes: Uint8Array): { readonly frame: PartFrame; readonly isText: boolean } {
  const about = { type: 'PART', taskId: 'a', part: 2, at: 0, to: bytes.byteLength, name: 'büro “1”' } as const;
  const [entry] = frameOf(eventId(2, 1), about, bytes);
  const made = Buffer.from(entry?.bytes ?? []);
  return { frame: JSON.parse(made.toString('utf8')) as PartFrame, isText: isUtf8(made) };
}

const everyCharacter = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('') + '🙂\u{10ffff}';

test.each([
  ['nothing', ''],
  ['every character that JSON escapes, and those beyond ASCII', everyCharacter],
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
