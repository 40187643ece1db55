import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { dial, liveHost } from './host.ts';

const taskId = 'e'.repeat(32);
const CURSOR = 'lastEventId must be an event id like "12-1790000000000", "" or "0-0"';

async function closeOf(ws: WebSocket, frame: object): Promise<[code: number, reason: string]> {
  ws.on('error', () => undefined);
  ws.on('open', () => ws.send(JSON.stringify(frame)));
  const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

it.each([
  ['a cursor of a store', { lastEventId: '$' }, CURSOR],
  ['a cursor of another library', { lastEventId: 'another-library' }, CURSOR],
  ['a cursor with a zero before it', { lastEventId: '01-1000' }, CURSOR],
  ['a cursor longer than any', { lastEventId: `1-${'0'.repeat(60_000)}` }, CURSOR],
  ['a cursor that is a number', { lastEventId: 1 }, 'lastEventId must be'],
  ['a field that is unknown', { more: 1 }, 'more is unknown'],
  ['an unknown field of a name without end', { ['é'.repeat(1000)]: 1 }, 'é'.repeat(61)],
])('a WebSocket that is closed for %s is told which field it was, and what it must be', async (_name, fields, said) => {
  const host = await liveHost();
  const [code, reason] = await closeOf(dial(host), { action: 'subscribe', taskId, ...fields });
  expect([code, reason.startsWith(said), Buffer.byteLength(reason) <= 123]).toEqual([1008, true, true]);
});

it.each(['$', 'another-library'])('the cursor %j is named on a socket that tasks share, which stays', async (lastEventId) => {
  const host = await liveHost();
  const ws = dial(host, '?extensions=multiplex');
  ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId, lastEventId })));
  const ended = new Promise((resolve) =>
    // `ws` hands every message over as a Buffer unless told otherwise.
    ws.on('message', (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as { readonly type: string };
      if (frame.type === 'SUBSCRIPTION_ENDED') resolve(frame);
    }),
  );
  expect(await ended).toEqual({ type: 'SUBSCRIPTION_ENDED', taskId, code: 1008, reason: CURSOR });
  expect(ws.readyState).toBe(ws.OPEN);
});
