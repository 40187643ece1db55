import { createParser } from 'eventsource-parser';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createTaskBridgeClient } from 'taskbridge/client/node';
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

test('what is between, before and within the events of a stream changes nothing, whatever it is', async () => {
  const noise = fc.constantFrom(': comment', ':', 'event: fact', 'retry: 5', 'other', 'data-more: x', 'id2: 7', ' data: x');
  const noises = fc.array(noise, { maxLength: 3 });
  const piece = fc.integer({ min: 1, max: 40 });
  const shapes = fc.array(fc.tuple(noises, noises, fc.boolean(), fc.constantFrom('data: ', 'data:')), { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(shapes, fc.constantFrom('\n', '\r\n', '\r'), piece, async (all, end, size) => {
      const told = [fact(1), fact(2), completed(3)].flatMap((one, n) => {
        const [before, within, isLong, field] = all[n] ?? [[], [], false, 'data: '];
        const data = JSON.stringify(one, null, isLong ? 1 : 0).split('\n');
        // An event that has no data is none.
        return [...before, '', `id: ${n + 1}-1000`, ...data.map((line) => field + line), ...within, ''];
      });
      const text = told.map((line) => line + end).join('');
      const ours: string[] = [];
      const others: string[] = [];
      const parser = createParser({ onEvent: ({ data }) => void others.push(data) });
      parser.feed(told.map((line) => `${line}\n`).join(''));
      const client = createTaskBridgeClient({
        baseUrl: 'http://stream.test',
        transports: ['sse'],
        fetch: streaming(inPieces(text, size)),
        listener: { onSseRawEvent: ({ text: data }) => void ours.push(data) },
      });
      expect(await numbers(client.observe(TASK))).toEqual([1, 2, 3]);
      await client.close();
      expect(ours).toEqual(others);
    }),
    { numRuns: 60 },
  );
});
