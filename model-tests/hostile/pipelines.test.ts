import { connect } from 'node:net';
import { inProcess } from 'taskbridge/adapters/in-process';
import { expect, it, vi } from 'vitest';
import { bridgeOf } from '../server/bridge-of.ts';

/** More than a connection may have listeners before Node warns of a leak. */
const AMOUNT = 20;

it.each([
  ['streams', 'end'],
  ['streams', 'reset'],
  ['polls', 'reset'],
] as const)('frees the %s of one pipeline when its connection ends by %s', async (what, how) => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const { url, start, store } = await bridgeOf(inProcess({ wait: () => new Promise(() => undefined) }), { live: { viewersMax: AMOUNT } });
  const taskId = await start('wait');
  const lastEventId = await vi.waitUntil(async () => (await store.lastEventIds([taskId]))[0]);
  const events = `/api/v1/tasks/${taskId}/events`;
  const poll = (waitMs: number) => `${events}?afterEventId=${lastEventId}&waitTimeoutMs=${waitMs}`;
  // A full house is what shows from outside how many there are.
  const statusOfOneMore = async () => (await fetch(url + poll(200), { headers: { authorization: 'alice' } })).status;
  expect(await statusOfOneMore()).toBe(200);

  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  const target = what === 'streams' ? `${events}/stream` : poll(60_000);
  const request = `GET ${target} HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\n\r\n`;
  socket.write(request.repeat(AMOUNT - 1));
  await vi.waitFor(async () => {
    // A look from outside may have taken the place of one that came just then.
    socket.write(request);
    expect(await statusOfOneMore()).toBe(429);
  });
  if (how === 'end') socket.end();
  else socket.resetAndDestroy();
  // Room for as many as before: not one of them is left.
  const all = () => Promise.all(Array.from({ length: AMOUNT }, statusOfOneMore));
  await vi.waitFor(async () => expect(new Set(await all())).toEqual(new Set([200])));
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});
