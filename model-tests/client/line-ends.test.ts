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
