import { expect, test } from 'vitest';
import { eventId } from '../../machines/wire/index.ts';
import { TextCache } from '../../server/live/text-cache.ts';
import type { PartChunk } from '../../server/live/part-frames.ts';

const lane = eventId(2, 1);
const MIB = 1024 * 1024;
/** Shows it twice. */
function show(kept: TextCache, shown: PartChunk): void {
  kept.keep('task', shown);
  kept.keep('task', shown);
}
const chunk = (at: number, bytes: number, mark = 'a') => ({ lane, epoch: { mark, was: null, from: 0 }, at, bytes: new Uint8Array(bytes) });

test('four MiB of text are kept, of which those go first that were shown longest ago', () => {
  const kept = new TextCache();
  for (let at = 0; at < 4; at++) show(kept, chunk(at * MIB, MIB));
  expect(kept.find('task', lane, 'a', 0)?.at).toBe(0);
  show(kept, chunk(4 * MIB, MIB));
  expect([0, 1, 2, 3, 4].map((at) => kept.find('task', lane, 'a', at * MIB) !== undefined)).toEqual([true, false, true, true, true]);
});

test('a run is found by its task, lane, epoch and place alone, and a short one is not kept', () => {
  const kept = new TextCache();
  show(kept, chunk(0, 64 * 1024));
  show(kept, chunk(64 * 1024, 32 * 1024 - 1));
  expect(
    [
      kept.find('task', lane, 'a', 0),
      kept.find('other', lane, 'a', 0),
      kept.find('task', eventId(3, 1), 'a', 0),
      kept.find('task', lane, 'b', 0),
      kept.find('task', lane, 'a', 64 * 1024),
    ].map((found) => found !== undefined),
  ).toEqual([true, false, false, false, false]);
});

test('what is shown once is not kept, and what was shown once before sixty-four others neither', () => {
  const kept = new TextCache();
  const long = chunk(0, MIB);
  kept.keep('task', long);
  expect(kept.find('task', lane, 'a', 0)).toBeUndefined();
  for (let at = 1; at <= 64; at++) kept.keep('task', chunk(at * MIB, MIB));
  kept.keep('task', long);
  expect(kept.find('task', lane, 'a', 0)).toBeUndefined();
  kept.keep('task', long);
  expect(kept.find('task', lane, 'a', 0)).toBe(long);
});
