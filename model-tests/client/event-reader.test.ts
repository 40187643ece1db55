import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventReader } from '../../client/transports/event-reader.ts';

type Told = readonly ['event', data: string, isUnnumbered: boolean] | readonly ['comment'];

function read(pieces: readonly string[]): Told[] {
  const told: Told[] = [];
  const feed = createEventReader({
    event: (data, isUnnumbered) => told.push(['event', data, isUnnumbered]),
    comment: () => told.push(['comment']),
  });
  pieces.forEach(feed);
  return told;
}

function readByLibrary(pieces: readonly string[]): Told[] {
  const told: Told[] = [];
  const parser = createParser({
    onEvent: ({ data, id }) => told.push(['event', data, id === undefined]),
    onComment: () => told.push(['comment']),
  });
  for (const piece of pieces) parser.feed(piece);
  return told;
}

/** Lines that mean something, nearly mean it, or nothing. */
const line = fc.oneof(
  fc.constantFrom(
    'data: {"type":"TASK_PROGRESS"}',
    'data:x',
    'data',
    'data:',
    'data:  two',
    ': beat',
    ':',
    'id: 1-2',
    'id:',
    'id: \0',
    'id',
  ),
  fc.constantFrom('event: a', 'retry: 5', 'dat', 'datas: x', ' data: x', 'data : x', 'ID: 1', 'a:b:c', ''),
  fc.string({ maxLength: 8 }).map((text) => text.replace(/[\r\n\ufeff]/g, '')),
);
const stream = (ends: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(line, fc.constantFrom(...ends)), { maxLength: 24 })
    // The library takes three characters that a byte order mark would be in another encoding for one.
    .map((lines) => `${lines.flat().join('')}:${ends[0]}${ends[0]}`);

/** A text, cut where the numbers say. */
function cut(text: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
  return sorted.slice(1).map((to, index) => text.slice(sorted[index], to));
}

describe('the reader of events', () => {
  test('tells what eventsource-parser tells, however the text is cut', () => {
    const places = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(stream(['\n', '\r\n']), places, (text, at) => {
        const pieces = cut(text, at);
        expect(read(pieces)).toEqual(readByLibrary(pieces));
      }),
      { numRuns: 2_000 },
    );
  });

  test('tells the same of a text with bare CRs, whole or in single characters', () => {
    fc.assert(
      fc.property(stream(['\r', '\n', '\r\n']), (text) => {
        expect(read([...text])).toEqual(read([text]));
        // The library waits for what may follow a CR at the end.
        expect(read([text])).toEqual(readByLibrary([`${text}\n`]));
      }),
      { numRuns: 2_000 },
    );
  });

  test('tells an event as soon as its empty line is there, also where that ends in a bare CR', () => {
    expect(read(['data: 1\r', '\r'])).toEqual([['event', '1', true]]);
    expect(read(['data: 1\r\n', '\r', '\n', 'id: 2\ndata: 2\n\n'])).toEqual([
      ['event', '1', true],
      ['event', '2', false],
    ]);
  });
});
