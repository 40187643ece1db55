import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { fakeClock } from '../support/fake-clock.ts';
import { liveHost, type Host } from '../live/host.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { taskLog, type TaskLog } from '../live/task-log.ts';
import { onLoopback } from '../support/loopback.ts';
import { CONFIRMED, ended, openRawClient, type RawClient } from './raw-client.ts';

/** More than any buffers between two processes hold. */
const SENT_BYTES_MAX = 256 * 1024 * 1024;
const UNKNOWN = 'f'.repeat(32);

async function tasksOf(host: Host, count: number, facts: number, textBytes: number): Promise<TaskLog[]> {
  const tasks = await Promise.all(Array.from({ length: count }, () => taskLog(host.store)));
  for (const task of tasks) for (let i = 0; i < facts; i += 1) await task.append(1, { textBytes });
  return tasks;
}

/** The server's side of the one connection of a host. */
function serverSide(host: Host): Socket {
  const [socket] = host.sockets;
  if (!socket) throw new Error('Nobody is connected.');
  return socket;
}

/** The most that waited unsent, looked at in each turn until `isOver`. */
async function peakBytes(host: Host, isOver: () => boolean): Promise<number> {
  let peak = 0;
  while (!isOver()) {
    peak = Math.max(peak, ...[...host.sockets].map(({ writableLength }) => writableLength));
    await new Promise(setImmediate);
  }
  return peak;
}

const isWhole = (client: RawClient, tasks: readonly TaskLog[]): boolean =>
  tasks.reduce((sum, { ids }) => sum + ids.length, 0) === client.frames.filter(({ eventId }) => eventId !== undefined).length;

it('whose owner sends too many frames is read again after a rest, and loses none of them; another owner is not kept waiting', async () => {
  const clock = fakeClock();
  const host = await liveHost({ clock, live: { framesPerSecondMax: 5 } });
  const client = await openRawClient(host);
  const other = await openRawClient(host);
  const answered = () => client.frames.length;
  for (let sent = 1; sent <= 11; sent += 1) {
    client.subscribe(UNKNOWN);
    await vi.waitFor(() => expect(answered()).toBe(sent));
  }
  client.subscribe(UNKNOWN);
  await quiesce();
  expect(answered()).toBe(11);
  // All sockets of one owner share it: his next one rests after its first frame.
  other.subscribe(UNKNOWN);
  await vi.waitFor(() => expect(other.frames.length).toBe(1));
  other.subscribe(UNKNOWN);
  await quiesce();
  expect(other.frames.length).toBe(1);
  clock.advance(400);
  await vi.waitFor(() => expect([answered(), other.frames.length]).toEqual([12, 2]));
});

it('closes with 1008 for a message in more pieces than anybody needs', async () => {
  const host = await liveHost();
  const pieces = async (count: number): Promise<string | number> => {
    const { ws, closed, frames } = await openRawClient(host);
    const text = JSON.stringify({ action: 'subscribe', taskId: UNKNOWN }).padEnd(count);
    for (let at = 0; at < count; at += 1) ws.send(at < count - 1 ? text.slice(at, at + 1) : text.slice(at), { fin: at === count - 1 });
    return Promise.race([closed, vi.waitUntil(() => frames[0]?.type)]);
  };
  expect(await pieces(64)).toBe('SUBSCRIPTION_ENDED');
  expect(await pieces(65)).toBe(1008);
});

it.each(['messages', 'pings', 'pongs'] as const)('that shows one task rests too where its owner sends too many %s', async (kind) => {
  const clock = fakeClock();
  const host = await liveHost({ clock, live: { framesPerSecondMax: 5 } });
  const { ws } = await openRawClient(host, '');
  const task = await taskLog(host.store);
  ws.send(JSON.stringify({ action: 'subscribe', taskId: task.taskId }));
  const side = serverSide(host);
  await vi.waitFor(() => expect(side.bytesRead).toBeGreaterThan(0));
  const send = { messages: () => ws.send('{}'), pings: () => ws.ping(), pongs: () => ws.pong() }[kind];
  for (let sent = 0; sent < 20; sent += 1) send();
  await vi.waitFor(() => expect(side.isPaused()).toBe(true));
  clock.advance(10_000);
  await vi.waitFor(() => expect(side.isPaused()).toBe(false));
});

it('that broke the protocol, does not take its close and sends on is cut after one frame more', async () => {
  const host = await liveHost();
  const socket = connect({ port: host.port, host: '127.0.0.1', allowHalfOpen: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.write(
    'GET /api/v1/tasks/ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ann\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(socket, 'data');
  // No frame begins like that.
  const bytes = Buffer.alloc(64 * 1024, 0xff);
  let sent = 0;
  while (!socket.destroyed && sent < SENT_BYTES_MAX) {
    sent += bytes.length;
    if (!socket.write(bytes)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  expect(sent).toBeLessThan(SENT_BYTES_MAX);
});

describe('a socket with 50 tasks', () => {
  const textBytes = 2_000;
  const viewerBytesMax = 64 * 1024;
  /** A fact for each of the readers, what else a fact has, and the frames that are no facts. */
  const slack = 50 * 1_000;

  it('holds viewerBytesMax for all of them together while history and news come', async () => {
    const host = await liveHost({ live: { viewerBytesMax } });
    const tasks = await tasksOf(host, 50, 40, textBytes);
    const client = await openRawClient(host);
    for (const { taskId } of tasks) client.subscribe(taskId);
    const writing = (async () => {
      for (let i = 0; i < 10; i += 1) for (const task of tasks) await task.append(2, { textBytes });
    })();
    let isDone = false;
    void writing.then(() => (isDone = true));
    const peak = await peakBytes(host, () => isDone && isWhole(client, tasks));
    expect(peak).toBeLessThan(viewerBytesMax + slack);
    for (const { taskId, ids } of tasks) expect(client.of(taskId)).toEqual([CONFIRMED, ...ids]);
  });

  it('that nobody reads costs no more; read again, it brings every log whole', async () => {
    const host = await liveHost({ live: { viewerBytesMax } });
    const tasks = await tasksOf(host, 50, 40, textBytes);
    const client = await openRawClient(host);
    client.ws.pause();
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(host.hub.viewers).toBe(50));
    const before = host.store.reads;
    let reads = -1;
    // Until the kernel takes no more, and nobody reads the store for nothing.
    while (reads !== host.store.reads || serverSide(host).writableLength === 0) {
      reads = host.store.reads;
      await quiesce();
      await quiesce();
    }
    expect(serverSide(host).writableLength).toBeLessThan(viewerBytesMax + slack);
    expect(reads - before).toBeLessThan(1_000);
    for (const task of tasks) await task.append(5, { textBytes });
    await quiesce();
    expect(serverSide(host).writableLength).toBeLessThan(viewerBytesMax + slack);
    client.ws.resume();
    await vi.waitFor(() => expect(isWhole(client, tasks)).toBe(true));
    for (const { taskId, ids } of tasks) expect(client.of(taskId)).toEqual([CONFIRMED, ...ids]);
  });

  it('that takes nothing for a minute is cut as a whole', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock, live: { viewerBytesMax } });
    const tasks = await tasksOf(host, 50, 100, textBytes);
    const client = await openRawClient(host);
    client.ws.pause();
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(serverSide(host).writableLength).toBeGreaterThan(0));
    await quiesce();
    for (let i = 0; i < 6; i += 1) {
      clock.advance(15_000);
      await quiesce();
    }
    await vi.waitFor(() => expect([host.hub.viewers, host.door.sockets]).toEqual([0, 0]));
    client.ws.resume();
    expect(await client.closed).toBe(1006);
  });
});

describe('what one turn has for many tasks', () => {
  it('goes out in few writes', async () => {
    const host = await liveHost();
    const tasks = await tasksOf(host, 100, 1, 20);
    const client = await openRawClient(host);
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(200));
    await quiesce();
    const socket = serverSide(host);
    // What the stream hands to the kernel: one buffer, or several in one call.
    const writes = vi.fn();
    for (const name of ['_write', '_writev'] as const) {
      const inner = (socket as unknown as Record<string, (...args: unknown[]) => void>)[name]?.bind(socket);
      Object.assign(socket, { [name]: (...args: unknown[]) => (writes(), inner?.(...args)) });
    }
    await Promise.all(tasks.map((task) => task.append(1)));
    await vi.waitFor(() => expect(client.frames).toHaveLength(300));
    expect(writes.mock.calls.length).toBeLessThan(5);
  });
});

describe('a client that asks and does not read the answers', () => {
  it('is not listened to until it does, and then gets all of them', async () => {
    const viewerBytesMax = 16 * 1024;
    const clock = fakeClock();
    const host = await liveHost({ clock, live: { viewerBytesMax, framesPerSecondMax: 100_000 } });
    const client = await openRawClient(host);
    const count = 6_000;
    const long = 'x'.repeat(2_000);
    client.ws.pause();
    for (let i = 0; i < count; i += 1) client.ws.send(`{"action":"subscribe","taskId":"${long}${i}","lastEventId":"$"}`);
    let last = -1;
    while (last !== serverSide(host).bytesRead || serverSide(host).writableLength === 0) {
      last = serverSide(host).bytesRead;
      await quiesce();
      await quiesce();
    }
    // A chunk that was read already is still answered.
    expect(serverSide(host).writableLength).toBeLessThan(viewerBytesMax + 256 * 1024);
    // It has no subscription, and asks for many that are not heard yet.
    clock.advance(10_000);
    client.ws.resume();
    await vi.waitFor(() => expect(client.frames).toHaveLength(count));
    expect(new Set(client.frames.map(({ code }) => code))).toEqual(new Set([1008]));
  });
});

describe('a task whose store hangs', () => {
  it('keeps none of the others from its facts', async () => {
    const host = await liveHost();
    const tasks = await tasksOf(host, 20, 3, 20);
    const hung = new Set(tasks.slice(0, 6).map(({ taskId }) => taskId));
    const { read } = host.store;
    const fails: ((error: Error) => void)[] = [];
    host.store.read = (taskId, ...rest) =>
      hung.has(taskId) ? new Promise((_resolve, reject) => fails.push(reject)) : read.call(host.store, taskId, ...rest);
    const client = await openRawClient(host);
    for (const { taskId } of tasks) client.subscribe(taskId);
    // Four of them have the turns, until their store gives up.
    await vi.waitFor(() => expect(fails).toHaveLength(4));
    for (const fail of fails.splice(0)) fail(new Error('timed out'));
    for (const { taskId, ids } of tasks.slice(6)) await vi.waitFor(() => expect(client.of(taskId)).toEqual([CONFIRMED, ...ids]));
    // Asked again, they take no turns any more: the others come and go as they like.
    await vi.waitFor(() => expect(fails.length).toBeGreaterThanOrEqual(6));
    for (const task of tasks.slice(6)) {
      client.unsubscribe(task.taskId);
      client.subscribe(task.taskId, task.ids[2]);
      await task.end();
    }
    for (const { taskId } of tasks.slice(6)) await vi.waitFor(() => expect(client.of(taskId).at(-1)).toBe(ended(1000)));
  });
});

describe('a network that tears frames apart', () => {
  it('changes nothing', async () => {
    const host = await liveHost();
    const tasks = await tasksOf(host, 10, 20, 300);
    // Passes everything on in small pieces.
    const proxy = createServer((inner) => {
      const outer = connect(host.port, '127.0.0.1');
      const pass = (from: Socket, to: Socket): void => {
        from.on('data', (chunk: Buffer) => {
          for (let at = 0; at < chunk.length; at += 7) to.write(chunk.subarray(at, at + 7));
        });
        from.on('close', () => to.destroy());
        from.on('error', () => undefined);
      };
      pass(inner, outer);
      pass(outer, inner);
    });
    const { port, close } = await onLoopback(proxy);
    const client = await openRawClient({ ...host, port });
    for (const { taskId } of tasks) client.subscribe(taskId);
    for (const task of tasks) await task.end();
    await vi.waitFor(() => {
      for (const { taskId, ids } of tasks) expect(client.of(taskId)).toEqual([CONFIRMED, ...ids, ended(1000)]);
    });
    client.ws.terminate();
    await close();
  });
});
