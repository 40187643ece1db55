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
] as const)('has one of the %s of a pipeline at a time, and none when its connection ends by %s', async (what, how) => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const { url, start, store } = await bridgeOf(inProcess({ wait: () => new Promise(() => undefined) }), { live: { viewersMax: 2 } });
  const taskId = await start('wait');
  const lastEventId = await vi.waitUntil(async () => (await store.lastEventIds([taskId]))[0]);
  const events = `/api/v1/tasks/${taskId}/events`;
  const poll = (waitMs: number) => `${events}?afterEventId=${lastEventId}&waitTimeoutMs=${waitMs}`;
  // A full house is what shows from outside how many there are.
  const statusOfOneMore = async () => (await fetch(url + poll(200), { headers: { authorization: 'alice' } })).status;
  const target = what === 'streams' ? `${events}/stream` : poll(60_000);
  const request = `GET ${target} HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\n\r\n`;
  const pipeline = () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(request.repeat(AMOUNT));
    return socket;
  };

  const first = pipeline();
  expect(await statusOfOneMore()).toBe(200);
  const second = pipeline();
  await vi.waitFor(async () => {
    // A look from outside may have taken the place of all that came just then.
    second.write(request);
    expect(await statusOfOneMore()).toBe(429);
  });
  for (const [socket, room] of [
    [first, 1],
    [second, 2],
  ] as const) {
    if (how === 'end') socket.end();
    else socket.resetAndDestroy();
    const all = () => Promise.all(Array.from({ length: room }, statusOfOneMore));
    await vi.waitFor(async () => expect(new Set(await all())).toEqual(new Set([200])));
  }
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});
