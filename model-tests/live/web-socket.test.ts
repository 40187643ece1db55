import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { TaskBridgeError } from '../../server/errors.ts';
import { createUpgradeHandler } from '../../server/http/web-socket/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { dial, exchange, liveHost, watchByWebSocket } from './host.ts';
import { quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

interface Refused {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: { readonly code: string; readonly message: string; readonly details: object; readonly timestamp: string };
}

/** How an upgrade was refused. */
function refused(ws: WebSocket): Promise<Refused> {
  return new Promise((resolve, reject) => {
    ws.on('open', () => reject(new Error('The upgrade was accepted.')));
    ws.on('error', () => undefined);
    ws.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const body = JSON.parse(text) as Refused['body'];
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body });
      });
    });
  });
}

async function closeCode(ws: WebSocket, ...frames: (string | Buffer)[]): Promise<number> {
  ws.on('error', () => undefined);
  ws.on('open', () => frames.forEach((frame) => ws.send(frame)));
  const [code] = (await once(ws, 'close')) as [number];
  return code;
}

const bearer = (token: string): string => `bearer.${Buffer.from(token).toString('base64url')}`;

describe('an upgrade', () => {
  it('is left alone on a foreign path', async () => {
    const host = await liveHost();
    const foreign = vi.fn((_req: unknown, socket: { end(text: string): void }) => socket.end('HTTP/1.1 418 Foreign\r\n\r\n'));
    host.server.on('upgrade', (req, socket) => {
      if (req.url !== '/api/v1/tasks/ws') foreign(req, socket);
    });
    const head = 'HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    for (const path of ['/other', '/api/v1/tasks/wsx', '/api/v1/tasks', '/api/v2/tasks/other'])
      expect(await exchange(host, `GET ${path} ${head}`)).toContain('418 Foreign');
    expect(foreign).toHaveBeenCalledTimes(4);
  });

  it('is taken below a prefix with a name in it', async () => {
    const host = await liveHost({ door: { path: '/:tenant/api/tasks/ws' } });
    const task = await taskLog(host.store);
    await task.end();
    const { WebSocket: Client } = await import('ws');
    const ws = new Client(`ws://127.0.0.1:${host.port}/acme/api/tasks/ws?x=1`);
    expect(await closeCode(ws, JSON.stringify({ action: 'subscribe', taskId: task.taskId }))).toBe(1000);
  });

  it('without credentials is answered 401 with the envelope', async () => {
    const host = await liveHost();
    const { status, body } = await refused(dial(host, '', { headers: { authorization: 'Bearer none' } }));
    expect(status).toBe(401);
    expect(body).toEqual({
      code: 'AUTHENTICATION_ERROR',
      message: expect.any(String) as string,
      details: {},
      timestamp: expect.stringMatching(/Z$/) as string,
    });
  });

  it('is answered 500 without a word where the resolver breaks', async () => {
    const host = await liveHost({
      door: {
        auth: () => {
          throw new Error('secret');
        },
      },
    });
    const { status, body } = await refused(dial(host));
    expect([status, body.code]).toEqual([500, 'INTERNAL_ERROR']);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('takes a token from the subprotocols and selects ours', async () => {
    const seen: (string | undefined)[] = [];
    const host = await liveHost({
      door: {
        auth: ({ headers }) => {
          seen.push(headers.authorization, headers['sec-websocket-protocol']);
          return { subject: 'ann' };
        },
      },
    });
    const ws = dial(host, '', { protocols: ['taskbridge.v1', bearer('a.b~c')] });
    await once(ws, 'open');
    expect(ws.protocol).toBe('taskbridge.v1');
    expect(seen).toEqual(['Bearer a.b~c', 'taskbridge.v1']);
    ws.terminate();
  });

  it.each([
    ['no base64url', ['taskbridge.v1', 'bearer.!!']],
    ['an empty token', ['taskbridge.v1', 'bearer.']],
    ['a token that is no header text', ['taskbridge.v1', bearer('a\r\nx: y')]],
    ['two tokens', ['taskbridge.v1', bearer('a'), bearer('b')]],
  ])('is answered 401 for %s', async (_name, protocols) => {
    const host = await liveHost();
    const { status, body } = await refused(dial(host, '', { protocols }));
    expect([status, body.code]).toEqual([401, 'AUTHENTICATION_ERROR']);
  });

  it.each([
    ['a foreign origin', { cookie: 's=1', origin: 'https://evil.example' }, false],
    ['an opaque origin', { cookie: 's=1', origin: 'null' }, false],
    ['an allowed origin', { cookie: 's=1', origin: 'https://app.example' }, true],
    ['the host itself', { cookie: 's=1', origin: 'http://HOST' }, true],
    ['no origin, which is no browser', { cookie: 's=1' }, true],
    ['a foreign origin and a token beside the cookie', { cookie: 's=1', origin: 'https://evil.example', authorization: 'Bearer t' }, true],
    ['a foreign origin without a cookie', { origin: 'https://evil.example' }, true],
  ] as const)('with a cookie is judged by its origin: %s', async (_name, given, allowed) => {
    const host = await liveHost({ door: { allowedOrigins: ['https://app.example/'] } });
    const headers = { ...given, ...('origin' in given && { origin: given.origin.replace('HOST', `127.0.0.1:${host.port}`) }) };
    const ws = dial(host, '', { headers });
    if (allowed) {
      await once(ws, 'open');
      ws.terminate();
    } else expect(await refused(ws)).toMatchObject({ status: 403 });
  });

  it('is answered 429 with Retry-After over the sockets of one owner and over the viewers of the process', async () => {
    const host = await liveHost({ live: { socketsPerOwnerMax: 2 } });
    const sockets = [dial(host), dial(host)];
    await Promise.all(sockets.map((ws) => once(ws, 'open')));
    expect(await refused(dial(host))).toMatchObject({ status: 429, retryAfter: '5', body: { code: 'RATE_LIMITED' } });
    sockets[0]?.terminate();
    await vi.waitFor(() => expect(host.door.sockets).toBe(1));
    await once(dial(host), 'open');

    const small = await liveHost({ live: { viewersMax: 1 } });
    await once(dial(small), 'open');
    expect(await refused(dial(small))).toMatchObject({ status: 429, retryAfter: '5' });
  });

  it('holds the limit of an owner also for upgrades that arrive together', async () => {
    const host = await liveHost({ live: { socketsPerOwnerMax: 3 } });
    const attempts = Array.from({ length: 10 }, () => {
      const ws = dial(host);
      ws.on('error', () => undefined);
      return new Promise<boolean>((resolve) => {
        ws.on('open', () => resolve(true));
        ws.on('unexpected-response', () => resolve(false));
      });
    });
    expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(3);
  });

  it.each([
    ['no key', 'GET', 'Sec-WebSocket-Version: 13\r\n'],
    ['a wrong version', 'GET', 'Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'],
    ['a wrong method', 'POST', 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'],
  ])('is answered 400 with the envelope for %s', async (_name, method, headers) => {
    const host = await liveHost();
    const answer = await exchange(
      host,
      `${method} /api/v1/tasks/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('"code":"INVALID_REQUEST"');
    await vi.waitFor(() => expect(host.sockets.size).toBe(0));
  });

  it('that is refused leaves no connection behind, also where the client stays', async () => {
    const host = await liveHost();
    const socket = connect({ port: host.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write(
      'GET /api/v1/tasks/ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer none\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 401 /);
    await vi.waitFor(() => expect(host.sockets.size).toBe(0));
    socket.destroy();
  });

  it('survives a client that vanishes while its credentials are looked at, and a resolver that never answers', async () => {
    const clock = fakeClock();
    let asked = 0;
    const host = await liveHost({
      clock,
      door: {
        auth: () => {
          asked += 1;
          return new Promise(() => undefined);
        },
      },
    });
    const [gone, patient] = [dial(host), dial(host)];
    gone.on('error', () => undefined);
    patient.on('error', () => undefined);
    await vi.waitFor(() => expect(asked).toBe(2));
    gone.terminate();
    clock.advance(host.hub.options.subscribeMs);
    await vi.waitFor(() => expect(host.sockets.size).toBe(0));
  });

  it('is not taken any more when the door is closed', async () => {
    const host = await liveHost();
    host.door.close();
    const ws = dial(host);
    const [error] = (await once(ws, 'error')) as [Error];
    expect(error.message).toMatch(/hang up|ECONNRESET/);
  });

  it('needs origins that are origins, at construction', async () => {
    const { hub } = await liveHost();
    const more = {
      path: '/ws',
      hub,
      clock: fakeClock(),
      auth: () => undefined,
      service: { authorize: () => Promise.reject(new Error()), forget: () => undefined },
    };
    for (const origin of ['app.example', 'https://app.example/path', '*'])
      expect(() => createUpgradeHandler({ ...more, allowedOrigins: [origin] })).toThrow('is no origin');
  });
});

describe('the first frame', () => {
  const id = 'e'.repeat(32);
  it.each([
    ['no JSON', 'subscribe'],
    ['a JSON that is no object', '[]'],
    ['null', 'null'],
    ['another action', JSON.stringify({ action: 'watch', taskId: id })],
    ['an unknown field', JSON.stringify({ action: 'subscribe', taskId: id, more: 1 })],
    ['a field of the prototype', `{"action":"subscribe","taskId":"${id}","__proto__":{}}`],
    ['a field named constructor', `{"action":"subscribe","taskId":"${id}","constructor":1}`],
    ['no task', JSON.stringify({ action: 'subscribe' })],
    ['a cursor of a store', JSON.stringify({ action: 'subscribe', taskId: id, lastEventId: '$' })],
    ['a cursor that is a number', JSON.stringify({ action: 'subscribe', taskId: id, lastEventId: 1 })],
    ['a task that is unknown', JSON.stringify({ action: 'subscribe', taskId: id })],
    ['a task id that is none', JSON.stringify({ action: 'subscribe', taskId: 'ä'.repeat(1000) })],
    ['nesting without end', '['.repeat(30_000)],
  ])('is refused with 1008 and without a confirmation for %s', async (_name, frame) => {
    const host = await liveHost();
    const ws = dial(host);
    const message = vi.fn();
    ws.on('message', message);
    expect(await closeCode(ws, frame)).toBe(1008);
    expect(message).not.toHaveBeenCalled();
    expect(host.hub.topics).toBe(0);
  });

  it('gets a close frame where it is binary or too large', async () => {
    const host = await liveHost();
    expect(await closeCode(dial(host), Buffer.from('{}'))).toBe(1003);
    expect(await closeCode(dial(host), 'x'.repeat(70_000))).toBe(1009);
  });

  it('takes null and the two starts as no cursor, and says the cursor back as it was sent', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(1);
    await task.end();
    for (const [cursor, said] of [
      [undefined, null],
      [null, null],
      ['', null],
      ['0-0', '0-0'],
      [task.ids[0], task.ids[0]],
    ] as const) {
      const viewer = watchByWebSocket(host, task.taskId, cursor);
      expect(await viewer.closed).toBe(1000);
      expect(viewer.control).toEqual([
        { type: 'SUBSCRIPTION_CONFIRMED', taskId: task.taskId, replayStartedAfterEventId: said, live: true },
      ]);
    }
  });

  it('closes a socket that never sends one, and does not refuse it: the frame may be on its way', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock });
    const ws = dial(host);
    await once(ws, 'open');
    const closed = closeCode(ws);
    clock.advance(host.hub.options.subscribeMs);
    expect(await closed).toBe(1000);
  });

  it('ends in a cut where the fault is ours, so that the client comes back', async () => {
    const host = await liveHost();
    for (const fault of [new Error('broken'), new TaskBridgeError('STORE_UNAVAILABLE', 'down')]) {
      host.fault = fault;
      expect(await closeCode(dial(host), JSON.stringify({ action: 'subscribe', taskId: id }))).toBe(1006);
    }
  });

  it('is the only one that counts', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    const viewer = watchByWebSocket(host, task.taskId);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    viewer.ws.send('nonsense');
    viewer.ws.send(Buffer.from('nonsense'));
    viewer.ws.send(JSON.stringify({ action: 'subscribe', taskId: id }));
    await task.append();
    await task.end();
    expect(await viewer.closed).toBe(1000);
    expect(viewer.ids).toEqual(task.ids);
  });
});

describe('noise', () => {
  it('of 300 random openings ends each socket and nothing else', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    const sound = watchByWebSocket(host, task.taskId);
    await vi.waitFor(() => expect(sound.control).toHaveLength(1));
    const head =
      'GET /api/v1/tasks/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seededRandom(seed);
      const bytes = Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
      // A third of them begin like a masked text frame.
      if (seed % 3 === 0) bytes.set([0x81, 0xfe].slice(0, bytes.length));
      const socket = connect(host.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(Buffer.concat([Buffer.from(`${head}\r\n`), bytes]));
      if (random.odds(0.5)) await new Promise(setImmediate);
      if (random.odds(0.3)) socket.resetAndDestroy();
      else socket.end();
    }
    await vi.waitFor(() => expect(host.sockets.size).toBe(1));
    await task.append();
    await task.end();
    expect(await sound.closed).toBe(1000);
    expect(sound.ids).toEqual(task.ids);
  });
});

describe('a subscribed socket', () => {
  it('is broken after two heartbeats of silence', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock });
    const task = await taskLog(host.store);
    const mute = watchByWebSocket(host, task.taskId, undefined, '', { autoPong: false });
    const sound = watchByWebSocket(host, task.taskId);
    await vi.waitFor(() => expect([...mute.control, ...sound.control]).toHaveLength(2));
    const pinged = once(mute.ws, 'ping');
    const answered = once(sound.ws, 'ping');
    clock.advance(host.hub.options.heartbeatMs);
    await Promise.all([pinged, answered]);
    await vi.waitFor(() => expect(sound.control).toHaveLength(2));
    await quiesce();
    expect(host.hub.viewers).toBe(2);
    clock.advance(host.hub.options.heartbeatMs);
    expect(await mute.closed).toBe('cut');
    await vi.waitFor(() => expect(host.hub.viewers).toBe(1));
    expect(sound.ws.readyState).toBe(sound.ws.OPEN);
  });

  it('brings facts of every size whole', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    for (const textBytes of [2, 125, 126, 60_000, 65_535, 65_536, 70_000, 1_000_000]) await task.append(1, { textBytes });
    await task.end();
    const viewer = watchByWebSocket(host, task.taskId);
    expect(await viewer.closed).toBe(1000);
    expect(viewer.ids).toEqual(task.ids);
  });

  it('is cut with all others, unsubscribed ones too, when door and hub close', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    const viewer = watchByWebSocket(host, task.taskId);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    const waiting = dial(host);
    await once(waiting, 'open');
    const cut = closeCode(waiting);
    host.door.close();
    await host.hub.close();
    expect(await viewer.closed).toBe('cut');
    expect(await cut).toBe(1006);
    await vi.waitFor(() => expect(host.door.sockets).toBe(0));
  });
});
