import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { chaosProxy, type ChaosProxy } from '../conformance/chaos/proxy.ts';

/** One end of a connection: what it heard, and how it ended. */
interface End {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly fate: () => 'open' | 'ended' | 'reset';
}

let clock: FakeClock;
let server: Server;
let proxy: ChaosProxy;
let accepted: End[];
const made: Socket[] = [];

function endOf(socket: Socket): End {
  let [heard, fate]: [string, 'open' | 'ended' | 'reset'] = ['', 'open'];
  made.push(socket);
  socket.on('data', (chunk) => (heard += String(chunk)));
  socket.on('end', () => (fate = 'ended'));
  socket.on('error', () => (fate = 'reset'));
  return { socket, heard: () => heard, fate: () => fate };
}

/** A connection through the proxy, both ends of it. */
async function joined(): Promise<{ client: End; far: End }> {
  const [client, before] = [endOf(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })), accepted.length];
  const far = await vi.waitFor(() => accepted[before] ?? expect.fail('not there yet'));
  return { client, far };
}

const seen = (heard: () => unknown, expected: unknown): Promise<void> => vi.waitFor(() => expect(heard()).toEqual(expected));
/** Two exchanges over another connection: what was sent before them over this machine has arrived. */
async function settled(): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
  }
}

beforeEach(async () => {
  clock = fakeClock();
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(endOf(socket))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await chaosProxy({ target: { port: (server.address() as AddressInfo).port }, clock });
});
afterEach(async () => {
  await proxy.close();
  expect(clock.armed).toEqual([]);
  made.splice(0).forEach((socket) => socket.destroy());
  server.close();
});

describe('a chaos proxy', () => {
  test('passes on both directions and proper ends, and counts', async () => {
    const { client, far } = await joined();
    client.socket.end('hello');
    await seen(far.heard, 'hello');
    await seen(far.fate, 'ended');
    far.socket.end('goodbye');
    await seen(client.heard, 'goodbye');
    await seen(client.fate, 'ended');
    await seen(() => proxy.counts, { taken: 1, open: 0, refused: 0, up: 5, down: 7 });
  });

  test('resets all, and takes new ones', async () => {
    const [one, two] = [await joined(), await joined()];
    expect(proxy.reset()).toBe(2);
    for (const { client, far } of [one, two]) for (const end of [client, far]) await seen(end.fate, 'reset');
    const { client, far } = await joined();
    client.socket.write('again');
    await seen(far.heard, 'again');
  });

  test('delays bytes and the end in their order, in one direction only', async () => {
    proxy.impair('down', { delayMs: 100 });
    const { client, far } = await joined();
    client.socket.write('up');
    await seen(far.heard, 'up');
    far.socket.end('down');
    await vi.waitFor(() => expect(clock.armed).toHaveLength(1));
    await settled();
    clock.advance(99);
    await settled();
    expect([client.heard(), client.fate()]).toEqual(['', 'open']);
    clock.advance(1);
    await seen(client.heard, 'down');
    // The end may have come a turn after the bytes.
    await vi.waitFor(() => {
      clock.advance(100);
      expect(client.fate()).toBe('ended');
    });
  });

  test('throttles to its bytes a second', async () => {
    proxy.impair('up', { bytesPerSecond: 100 });
    const { client, far } = await joined();
    client.socket.write('x'.repeat(100));
    await seen(() => far.heard().length, 5);
    for (const [ms, bytes] of [
      [50, 10],
      [450, 55],
      [450, 100],
    ] as const) {
      clock.advance(ms);
      await seen(() => far.heard().length, bytes);
    }
  });

  test('stalls with back-pressure, and loses nothing when it is healed', async () => {
    const { client, far } = await joined();
    proxy.impair('up', { stalled: true });
    const much = 'y'.repeat(32 * 1024 * 1024);
    client.socket.end(much);
    far.socket.write('still heard');
    await seen(client.heard, 'still heard');
    await vi.waitFor(() => expect(client.socket.writableLength).toBeGreaterThan(0));
    expect([far.heard(), far.fate()]).toEqual(['', 'open']);
    proxy.heal();
    await vi.waitFor(() => expect(far.fate()).toBe('ended'));
    expect(far.heard().length).toBe(much.length);
  });

  test('buffers until the sender has ended', async () => {
    proxy.impair('down', { buffered: true });
    const { client, far } = await joined();
    far.socket.write('all ');
    await settled();
    expect(client.heard()).toBe('');
    far.socket.end('at once');
    await seen(client.heard, 'all at once');
    await seen(client.fate, 'ended');
  });

  test.each(['reset', 'end'] as const)('cuts by %s after exactly so many bytes of each connection', async (cutBy) => {
    proxy.impair('down', { cutAfterBytes: 6, cutBy });
    for (let i = 0; i < 2; i += 1) {
      const { client, far } = await joined();
      far.socket.write('four');
      await seen(client.heard, 'four');
      far.socket.write('teen');
      await seen(client.heard, 'fourte');
      await vi.waitFor(() => expect(client.fate()).toMatch(cutBy === 'end' ? /^ended$/ : /^(reset|ended)$/));
      await seen(far.fate, cutBy === 'end' ? 'ended' : 'reset');
    }
    expect(proxy.counts.down).toBe(12);
  });

  test('cuts one connection at once, and leaves the other', async () => {
    const [one, two] = [await joined(), await joined()];
    proxy.connections[0]?.impair('both', { cutAfterBytes: 0 });
    await seen(one.client.fate, 'reset');
    two.client.socket.write('here');
    await seen(two.far.heard, 'here');
    expect(proxy.connections.map(({ id }) => id)).toEqual([2]);
  });

  test.each(['client', 'server'] as const)('leaves the %s believing in a connection that is gone', async (believer) => {
    const { client, far } = await joined();
    const [believing, other] = believer === 'client' ? [client, far] : [far, client];
    expect(proxy.halfOpen(believer)).toBe(1);
    await seen(other.fate, 'reset');
    believing.socket.write('is anybody there?');
    await settled();
    expect([believing.fate(), believing.heard(), proxy.counts.open]).toEqual(['open', '', 1]);
    believing.socket.destroy();
    await seen(() => proxy.counts.open, 0);
  });

  test('refuses connections, or those that say a word', async () => {
    proxy.refuse((chunk) => chunk.includes('forbidden'));
    const { client, far } = await joined();
    client.socket.write('allowed');
    await seen(far.heard, 'allowed');
    client.socket.write('forbidden');
    await seen(client.fate, 'reset');
    expect(far.heard()).toBe('allowed');
    proxy.refuse(true);
    const refused = endOf(connect(proxy.port, '127.0.0.1'));
    await seen(refused.fate, 'reset');
    expect(proxy.counts).toMatchObject({ taken: 2, refused: 1 });
    proxy.heal();
    await joined();
  });

  test('goes to the first target that takes it, and resets a client whom none takes', async () => {
    const [{ port }, gone] = [server.address() as AddressInfo, await chaosProxy({ target: { port: 1 } })];
    await gone.close();
    let targets = [{ port: gone.port }, { port }];
    const choosy = await chaosProxy({ target: () => targets, clock });
    const client = endOf(connect(choosy.port, '127.0.0.1'));
    client.socket.write('found');
    await vi.waitFor(() => expect(accepted[0]?.heard()).toBe('found'));
    targets = [{ port: gone.port }];
    const lost = endOf(connect(choosy.port, '127.0.0.1'));
    await seen(lost.fate, 'reset');
    await choosy.close();
  });

  test('leaves neither timer nor socket when it is closed in the middle of everything', async () => {
    proxy.impair('both', { delayMs: 1000, bytesPerSecond: 10 });
    const all = [await joined(), await joined(), await joined()];
    for (const { client, far } of all) {
      client.socket.write('late');
      far.socket.write('late');
    }
    await vi.waitFor(() => expect(clock.armed).toHaveLength(6));
    proxy.connections[0]?.halfOpen('server');
    await proxy.close();
    expect(clock.armed).toEqual([]);
    for (const { client } of all) await seen(client.fate, 'reset');
    expect(proxy.counts.open).toBe(0);
    proxy = await chaosProxy({ target: { port: 1 }, clock });
  });

  test.each([{ delayMs: -1 }, { bytesPerSecond: 0 }, { cutAfterBytes: Number.NaN }, { delayMs: Infinity }])(
    'refuses %j, and says why',
    (impairment) => {
      expect(() => proxy.impair('up', impairment)).toThrow(/\((-1|0|NaN|Infinity)\) must be a number of at least/);
    },
  );
});
