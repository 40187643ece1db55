import { isUtf8 } from 'node:buffer';
import { expect, test } from 'vitest';
import type { PartFrame } from '../../machines/parts/index.ts';
import { eventId } from '../../machines/wire/index.ts';
import { frameOf } from '../../server/live/part-frames.ts';

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
