import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { streamDefaults, type StreamSettings } from 'taskbridge/server';
import { streamSettings, type GivenStreamSettings } from '../../server/http/stream-settings.ts';
import { liveDefaults } from '../../server/live/options.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { dial, liveHost, watchBySse, watchByWebSocket, type Host } from './host.ts';
import { quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

const EXTENSIONS = '&extensions=gap';

/** Notes how many facts each read of the log was for. */
function noteReads({ store }: Host): number[] {
  const asked: number[] = [];
  const read = store.read.bind(store);
  store.read = (taskId, from, limit) => {
    asked.push(limit.facts);
    return read(taskId, from, limit);
  };
  return asked;
}

const watchers = [
  { stream: 'sse', watch: (host: Host, taskId: string, cursor?: string) => watchBySse(host, taskId, cursor) },
  { stream: 'webSocket', watch: (host: Host, taskId: string, cursor?: string) => watchByWebSocket(host, taskId, cursor) },
] as const;

describe.each(watchers)('the batches of $stream', ({ stream, watch }) => {
  it('bound what is read at once while it catches up, and leave the other stream alone', async () => {
    const host = await liveHost({ streams: { [stream]: { replayFactsMax: 3 } } });
    const task = await taskLog(host.store);
    await task.append(20);
    await task.end();
    const asked = noteReads(host);
    const viewer = watch(host, task.taskId);
    await viewer.closed;
    expect(viewer.ids).toEqual(task.ids);
    expect(asked.length).toBeGreaterThanOrEqual(7);
    // The fact at the cursor is read with the others.
    expect(Math.max(...asked)).toBe(4);
    asked.length = 0;
    const other = watchers.find((one) => one.stream !== stream)?.watch(host, task.taskId);
    await other?.closed;
    expect(other?.ids).toEqual(task.ids);
    expect(asked).toEqual([streamDefaults.sse.replayFactsMax]);
  });

  it('bound what is written at once of what comes: the rest is read when that was taken', async () => {
    const reads = async (given: GivenStreamSettings) => {
      const host = await liveHost({ streams: given });
      const task = await taskLog(host.store);
      const viewer = watch(host, task.taskId);
      await task.append();
      await vi.waitFor(() => expect(viewer.ids).toEqual(task.ids));
      await quiesce();
      const asked = noteReads(host);
      await task.append(5);
      await vi.waitFor(() => expect(viewer.ids).toEqual(task.ids));
      return asked.length;
    };
    expect(await reads({})).toBe(0);
    expect(await reads({ [stream]: { liveFactsMax: 2 } })).toBe(1);
  });
});

/** An SSE stream of a task without facts, before and after the time of a heartbeat. */
async function idleSse(sse: Partial<StreamSettings['sse']>, query = '') {
  const clock = fakeClock();
  const host = await liveHost({ clock, streams: { sse } });
  const task = await taskLog(host.store);
  const viewer = watchBySse(host, task.taskId, undefined, query);
  const response = await viewer.response;
  await vi.waitFor(() => expect(viewer.text).toContain('\n\n'));
  await quiesce();
  const opening = viewer.text;
  clock.advance(liveDefaults.sseHeartbeatMs);
  // Shows that all that was sent before it has come.
  await task.append();
  await vi.waitFor(() => expect(viewer.ids).toEqual(task.ids));
  const idle = viewer.text.slice(opening.length, viewer.text.indexOf(`id:${task.ids[0] ?? ''}`));
  return { opening, idle, headers: response.headers };
}

const COMMENT = /^:heartbeat\n\n$/;
const FRAME = /^data:\{"type":"HEARTBEAT",[^\n]*"payload":\{"live":true\}\}\n\n$/;
const BOTH = /^:heartbeat\ndata:\{"type":"HEARTBEAT",[^\n]*\}\n\n$/;
const NOTHING = /^$/;
const GRANTED = /^data:\{"type":"HEARTBEAT",[^\n]*"payload":\{"live":true,"extensions":\["gap"\]\}\}\n\n$/;
const BOTH_GRANTED = /^:heartbeat\ndata:\{"type":"HEARTBEAT",[^\n]*"extensions":\["gap"\]\}\}\n\n$/;

describe('an SSE stream whose heartbeats are', () => {
  it.each([
    ['both', {}, BOTH, BOTH_GRANTED, BOTH],
    ['a comment only', { heartbeatFrame: false }, COMMENT, BOTH_GRANTED, COMMENT],
    ['a data frame only', { heartbeatComment: false }, FRAME, GRANTED, FRAME],
    ['none', { heartbeatComment: false, heartbeatFrame: false }, COMMENT, GRANTED, NOTHING],
  ])('%s begins with a sign of life all the same, and says what was granted', async (_name, sse, opening, granted, idle) => {
    const plain = await idleSse(sse);
    expect(plain.opening).toMatch(opening);
    expect(plain.idle).toMatch(idle);
    const asking = await idleSse(sse, EXTENSIONS);
    expect(asking.opening).toMatch(granted);
    expect(asking.idle).toMatch(idle);
  });

  it('none says so to nobody who watches the streams', async () => {
    const clock = fakeClock();
    const told = vi.fn();
    const host = await liveHost({
      clock,
      diagnostics: { onHeartbeat: told },
      streams: { sse: { heartbeatComment: false, heartbeatFrame: false } },
    });
    const task = await taskLog(host.store);
    await watchBySse(host, task.taskId).response;
    clock.advance(2 * liveDefaults.sseHeartbeatMs);
    expect(told).not.toHaveBeenCalled();
  });
});

describe('the settings of an SSE stream', () => {
  it('are the text of its comment', async () => {
    const { opening, idle } = await idleSse({ commentText: 'still here ❤', heartbeatFrame: false });
    expect([opening, idle]).toEqual([':still here ❤\n\n', ':still here ❤\n\n']);
  });

  it.each([0, 1, 65_536])('are a preamble of %d bytes before all else', async (preambleBytes) => {
    const { opening } = await idleSse({ preambleBytes, heartbeatFrame: false });
    expect(opening).toBe(`${preambleBytes === 0 ? '' : `: preamble ${' '.repeat(preambleBytes)}\n\n`}:heartbeat\n\n`);
  });

  it('are its three headers', async () => {
    const { headers } = await idleSse({ cacheControl: 'no-store', connection: 'close', xAccelBuffering: 'yes' });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', connection: 'close', 'x-accel-buffering': 'yes' });
  });

  it('leave a header out where it is empty, and the connection to Node', async () => {
    const { headers } = await idleSse({ cacheControl: '', xAccelBuffering: '' });
    expect(headers).not.toHaveProperty('cache-control');
    expect(headers).not.toHaveProperty('x-accel-buffering');
    expect(headers.connection).toBe('close');
    expect((await idleSse({ connection: 'keep-alive' })).headers.connection).toBe('keep-alive');
  });
});

describe('a WebSocket without heartbeats', () => {
  it('is pinged, and still hears of a message that was lost', async () => {
    const clock = fakeClock();
    const told = vi.fn();
    const host = await liveHost({ clock, diagnostics: { onHeartbeat: told }, streams: { webSocket: { heartbeatFrame: false } } });
    const task = await taskLog(host.store);
    const viewer = watchByWebSocket(host, task.taskId);
    const pinged = once(viewer.ws, 'ping');
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    host.store.loses = () => true;
    await task.append();
    await quiesce();
    expect(viewer.ids).toEqual([]);
    clock.advance(liveDefaults.heartbeatMs);
    await pinged;
    await vi.waitFor(() => expect(viewer.ids).toEqual(task.ids));
    expect(viewer.control.map(({ type }) => type)).toEqual(['SUBSCRIPTION_CONFIRMED']);
    expect(told).not.toHaveBeenCalled();
  });
});

describe('the close codes of a WebSocket', () => {
  const closed = async (host: Host, frame: string | Buffer, query = ''): Promise<number> => {
    const ws = dial(host, query);
    ws.on('open', () => ws.send(frame));
    const [code] = (await once(ws, 'close')) as [number];
    return code;
  };

  it('are that of a frame that is none of the protocol, and leave those of other refusals', async () => {
    const host = await liveHost({ streams: { webSocket: { invalidFrameCloseCode: 4422 } } });
    const task = await taskLog(host.store);
    for (const frame of ['{', '[]', '{"action":"other"}', JSON.stringify({ action: 'subscribe', taskId: task.taskId, lastEventId: '$' })])
      expect(await closed(host, frame)).toBe(4422);
    expect(await closed(host, '{', '?extensions=multiplex')).toBe(4422);
    expect(await closed(host, Buffer.from('{}'))).toBe(1003);
    expect(await closed(host, JSON.stringify({ action: 'subscribe', taskId: 'f'.repeat(32) }))).toBe(1008);
  });

  it('are that of the end, of a socket and of one task of several', async () => {
    const host = await liveHost({ streams: { webSocket: { terminalCloseCode: 4000 } } });
    const task = await taskLog(host.store);
    const viewer = watchByWebSocket(host, task.taskId);
    await task.end();
    expect(await viewer.closed).toBe(4000);
    expect(viewer.ids).toEqual(task.ids);
    expect(await watchByWebSocket(host, task.taskId, task.ids.at(-1)).closed).toBe(4000);
    const shared = watchByWebSocket(host, task.taskId, undefined, '?extensions=multiplex');
    onTestFinished(() => shared.ws.terminate());
    await vi.waitFor(() => expect(shared.control.at(-1)).toMatchObject({ type: 'SUBSCRIPTION_ENDED', code: 4000 }));
  });
});

describe('a setting of a stream', () => {
  it('that is not given has the default that is exported', () => {
    expect(streamSettings()).toEqual(streamDefaults);
    expect(streamSettings({ sse: { heartbeatFrame: undefined }, webSocket: {} } as unknown as GivenStreamSettings)).toEqual(streamDefaults);
  });

  it.each<[unknown, string]>([
    [{ sse: { replayFactsMax: 0 } }, 'streams.sse.replayFactsMax (0) must be a whole number'],
    [{ sse: { liveFactsMax: 1.5 } }, 'streams.sse.liveFactsMax (1.5) must be a whole number'],
    [{ sse: { heartbeatComment: 'no' } }, 'streams.sse.heartbeatComment ("no") must be true or false'],
    [{ sse: { heartbeatFrame: null } }, 'streams.sse.heartbeatFrame (null) must be true or false'],
    [{ sse: { commentText: 'a\n\ndata: b' } }, 'streams.sse.commentText ("a\\n\\ndata: b") must be one line'],
    [{ sse: { commentText: 'a\rb' } }, 'must be one line'],
    [{ sse: { commentText: 'x'.repeat(257) } }, 'must be one line'],
    [{ sse: { preambleBytes: -1 } }, 'streams.sse.preambleBytes (-1) must be a whole number from 0 to 65536'],
    [{ sse: { preambleBytes: 65_537 } }, 'streams.sse.preambleBytes (65537) must be a whole number from 0 to 65536'],
    [{ sse: { cacheControl: 'a\r\nSet-Cookie: b' } }, 'streams.sse.cacheControl ("a\\r\\nSet-Cookie: b") must be the value of a header'],
    [{ sse: { xAccelBuffering: 'ja✓' } }, 'streams.sse.xAccelBuffering ("ja✓") must be the value of a header'],
    [{ sse: { connection: 'upgrade' } }, 'streams.sse.connection ("upgrade") must be "keep-alive", "close"'],
    [{ sse: { constructor: 1 } }, 'streams.sse.constructor is no setting of a stream; known are replayFactsMax'],
    [{ webSocket: { replayFactsMax: Number.NaN } }, 'streams.webSocket.replayFactsMax (NaN) must be a whole number'],
    [{ webSocket: { liveFactsMax: 0 } }, 'streams.webSocket.liveFactsMax (0) must be a whole number'],
    [{ webSocket: { heartbeatFrame: 1 } }, 'streams.webSocket.heartbeatFrame (1) must be true or false'],
    ...[1000, 1001, 1011, 4399, 4500, 44.1].map((code) => [
      { webSocket: { invalidFrameCloseCode: code } },
      `streams.webSocket.invalidFrameCloseCode (${code}) must be 1008, or from 4400 to 4499`,
    ]),
    ...[999, 1001, 1006, 1008, 1011, 2999, 4400, 4499, 5000].map((code) => [
      { webSocket: { terminalCloseCode: code } },
      `streams.webSocket.terminalCloseCode (${code}) must be 1000, or from 3000 to 4999 but 4400 to 4499`,
    ]),
    [{ webSockets: {} }, 'streams.webSockets is no stream; known are sse, webSocket'],
  ] as [unknown, string][])('is checked at construction: %j', (given, message) => {
    expect(() => streamSettings(given as GivenStreamSettings)).toThrow(RangeError);
    expect(() => streamSettings(given as GivenStreamSettings)).toThrow(message);
  });

  it.each([1008, 4400, 4499])('takes %d for a frame that is none of the protocol', (code) =>
    expect(streamSettings({ webSocket: { invalidFrameCloseCode: code } }).webSocket.invalidFrameCloseCode).toBe(code),
  );

  it.each([1000, 3000, 4399, 4500, 4999])('takes %d for the end', (code) =>
    expect(streamSettings({ webSocket: { terminalCloseCode: code } }).webSocket.terminalCloseCode).toBe(code),
  );
});
