import { createParser } from 'eventsource-parser';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { createEventParser } from '../../client/transports/event-parser.ts';
import { completed, fact, TASK } from '../support/scripted-server.ts';
import { numbers } from './harness.ts';

const whole = [': ok', '', ...[1, 2].flatMap((n) => [`id: ${n}-1000`, `data: ${JSON.stringify(fact(n))}`, ''])];
const last = ['id: 3-1000', `data: ${JSON.stringify(completed(3))}`, ''];

/** Streams that send these pieces and stay open. */
const streaming =
  (pieces: readonly Uint8Array<ArrayBuffer>[]): typeof fetch =>
  () =>
    Promise.resolve(
      new Response(
        new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => pieces.forEach((piece) => controller.enqueue(piece)) }),
        { headers: { 'content-type': 'text/event-stream' } },
      ),
    );

/** The same bytes, this many in a piece. */
function inPieces(text: string, size: number): Uint8Array<ArrayBuffer>[] {
  const bytes = new TextEncoder().encode(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, nth) => bytes.slice(nth * size, (nth + 1) * size));
}

const ends = { CR: '\r', LF: '\n', 'CR LF': '\r\n' };

test.each(Object.keys(ends) as (keyof typeof ends)[])(
  'each event of a stream whose lines end with %s is there with its last byte, however it was cut',
  async (name) => {
    const text = [...whole, ...last].map((line) => line + ends[name]).join('');
    for (const size of [1, 2, 3, text.length]) {
      const client = createTaskBridgeClient({ baseUrl: 'http://stream.test', transports: ['sse'], fetch: streaming(inPieces(text, size)) });
      onTestFinished(() => client.close());
      expect(await numbers(client.observe(TASK))).toEqual([1, 2, 3]);
    }
  },
);

test('line ends may change from line to line', async () => {
  const endOf = (line: string): string => (line === '' ? '\r\n' : line.startsWith('id') ? '\r' : '\n');
  const text = [...whole, ...last].map((line) => line + endOf(line)).join('');
  for (const size of [1, 5, text.length]) {
    const client = createTaskBridgeClient({ baseUrl: 'http://stream.test', transports: ['sse'], fetch: streaming(inPieces(text, size)) });
    onTestFinished(() => client.close());
    expect(await numbers(client.observe(TASK))).toEqual([1, 2, 3]);
  }
});

test('a stream is read as by another parser, whatever is in it', () => {
  const field = fc.constantFrom('data', 'id', 'event', 'retry', 'data ', 'other', '');
  const value = fc.constantFrom('', ' ', '  two', 'text', ': colon', '5', 'with\0null', '{"a":1}', 'é🙂');
  const line = fc.oneof(
    fc.tuple(field, fc.constantFrom(':', ': ', ''), value).map((parts) => parts.join('')),
    fc.constant(''),
    fc.constant(': comment'),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (lines, end, cuts) => {
        const text = [...lines, '', ''].map((one) => one + end).join('');
        const [ours, others]: [unknown[], unknown[]] = [[], []];
        const feed = createEventParser({ event: (data, id) => void ours.push([data, id]), comment: () => void ours.push('comment') });
        const other = createParser({
          onEvent: ({ data, id }) => void others.push([data, id]),
          onComment: () => void others.push('comment'),
        });
        let at = 0;
        for (const size of [...cuts, text.length]) {
          feed(text.slice(at, at + size));
          other.feed(text.slice(at, at + size));
          at += size;
        }
        expect(ours).toEqual(others);
      },
    ),
    { numRuns: 500 },
  );
});
