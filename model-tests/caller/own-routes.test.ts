import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { CallerTasks, PreparedReplay, TaskBridge } from 'taskbridge/server';
import { fakeClock } from '../support/fake-clock.ts';
import { onLoopback } from '../support/loopback.ts';
import { logOf, ownBridge, type OwnBridge } from './own-bridge.ts';

type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Serves routes of a host's own; closed when the test has finished. */
async function serve(listener: RequestListener, onUpgrade?: Upgrade) {
  const server = createServer(listener);
  if (onUpgrade) server.on('upgrade', onUpgrade);
  const { port, close } = await onLoopback(server);
  onTestFinished(close);
  return port;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A whole answer. */
async function get(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const call = request({ port, host: '127.0.0.1', agent: false, path, headers }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

const idsIn = (text: string): string[] => [...text.matchAll(/^id:(.+)$/gm)].map(([, id = '']) => id);
const subjectOf = ({ headers }: IncomingMessage): string => headers.authorization ?? 'ann';

/** `/watch/<taskId>`, a route as a host writes it. */
function watchRoute(bridge: TaskBridge): RequestListener {
  return (req, res) => {
    const taskId = req.url?.split('?')[0]?.split('/')[2] ?? '';
    bridge
      .tasks({ subject: subjectOf(req) })
      .openSse(req, res, taskId)
      .catch((error: unknown) => bridge.answerError(res, error));
  };
}

describe('a stream on a route of the host’s own', () => {
  it('is that of our route, from the cursor of the header or of the query', async () => {
    const host = await ownBridge({ streams: { sse: { commentText: 'ours', cacheControl: 'no-store' } } });
    const { taskId, report, finish } = await host.start();
    await report(2);
    await finish();
    const log = await logOf(host, taskId);
    const port = await serve(watchRoute(host.bridge));
    const whole = await get(port, `/watch/${taskId}?extensions=gap`);
    expect(whole).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
    expect(whole.text).toMatch(/^:ours\ndata:\{"type":"HEARTBEAT".*"extensions":\["gap"\]/);
    expect(idsIn(whole.text)).toEqual(log);
    expect(idsIn((await get(port, `/watch/${taskId}`, { 'last-event-id': log[1] ?? '' })).text)).toEqual(log.slice(2));
    expect(idsIn((await get(port, `/watch/${taskId}?lastEventId=${log[2] ?? ''}`)).text)).toEqual(log.slice(3));
  });

  it('goes on with what comes', async () => {
    const host = await ownBridge();
    const { taskId, report, finish } = await host.start();
    const port = await serve(watchRoute(host.bridge));
    const watched = get(port, `/watch/${taskId}`);
    await report(5);
    await finish();
    expect(idsIn((await watched).text)).toEqual(await logOf(host, taskId));
  });

  it.each<[string, (host: OwnBridge, taskId: string) => { readonly path: string; readonly subject?: string }, number, string]>([
    ['an unknown task', () => ({ path: `/watch/${'f'.repeat(32)}` }), 404, 'TASK_NOT_FOUND'],
    ['a foreign task', (_host, taskId) => ({ path: `/watch/${taskId}`, subject: 'bob' }), 404, 'TASK_NOT_FOUND'],
    ['a bad cursor', (_host, taskId) => ({ path: `/watch/${taskId}?lastEventId=$` }), 422, 'REQUEST_VALIDATION_ERROR'],
    [
      'a store that does not answer',
      ({ store }, taskId) => {
        store.read = () => Promise.reject(new Error('down'));
        return { path: `/watch/${taskId}` };
      },
      503,
      'STORE_UNAVAILABLE',
    ],
  ])('answers %s as an error, before anything else', async (_name, prepare, status, code) => {
    const host = await ownBridge();
    const { taskId } = await host.start();
    const port = await serve(watchRoute(host.bridge));
    const { path, subject = 'ann' } = prepare(host, taskId);
    const answer = await get(port, path, { authorization: subject });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ code, details: expect.any(Object) as object, timestamp: expect.any(String) as string });
  });

  it('has no room where its caller has as many viewers as one may, of whatever kind', async () => {
    const host = await ownBridge({ live: { viewersPerOwnerMax: 1 } });
    const { taskId } = await host.start();
    const port = await serve(watchRoute(host.bridge));
    const facts = host.bridge.tasks({ subject: 'ann' }).subscribe(taskId)[Symbol.asyncIterator]();
    await facts.next();
    const { status, headers, text } = await get(port, `/watch/${taskId}`);
    expect([status, headers['retry-after']]).toEqual([429, '5']);
    expect(JSON.parse(text)).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('answers a HEAD as our route does, which needs no room', async () => {
    const { bridge, start } = await ownBridge({ live: { viewersPerOwnerMax: 1 } });
    const { taskId } = await start();
    const tasks = bridge.tasks({ subject: 'ann' });
    const ours = bridge.handler();
    const watch = watchRoute(bridge);
    const replay = await tasks.prepare(taskId);
    const port = await serve((req, res) => {
      if (req.url === '/prepared') replay.openSse(req, res);
      else if (req.url?.startsWith('/watch/')) watch(req, res);
      else ours(req, res);
    });
    const head = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'HEAD', headers: { authorization: 'ann' } });
      return [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')];
    };
    const route = await head(`/api/v1/tasks/${taskId}/events/stream`);
    expect(route[0]).toBe(200);
    expect(await head(`/watch/${taskId}`)).toEqual(route);
    expect(await head('/prepared')).toEqual(route);
    expect((await head(`/watch/${'f'.repeat(32)}`))[0]).toBe(404);
    expect((await head(`/watch/${taskId}?lastEventId=$`))[0]).toBe(422);
    // None of them is a viewer, nor kept from being answered by one.
    const facts = tasks.subscribe(taskId)[Symbol.asyncIterator]();
    await facts.next();
    expect(await head(`/watch/${taskId}`)).toEqual(route);
    await facts.return?.();
  });

  it('hides what is no error of ours, and destroys a response that has begun', async () => {
    const { bridge, logged } = await ownBridge();
    const port = await serve((req, res) => {
      if (req.url === '/begun') res.writeHead(200).write('a');
      bridge.answerError(res, new Error('secret'));
    });
    const { status, text } = await get(port, '/');
    expect(status).toBe(500);
    expect(text).toContain('INTERNAL_ERROR');
    expect(text).not.toContain('secret');
    expect(logged).toEqual(['A request failed.']);
    await expect(get(port, '/begun')).rejects.toThrow();
  });
});

describe('a replay that was prepared', () => {
  it('is shown as it was read, with what was committed before the stream began after it, once', async () => {
    const host = await ownBridge();
    const { taskId, report, finish } = await host.start();
    await report(3);
    let prepared: PreparedReplay | undefined;
    let isPrepared: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (isPrepared = resolve));
    let go: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (go = resolve));
    const port = await serve(async (req, res) => {
      prepared = await host.bridge.tasks({ subject: 'ann' }).prepare(taskId);
      isPrepared();
      await gone;
      prepared.openSse(req, res);
    });
    const watched = get(port, '/?extensions=gap');
    await ready;
    expect(prepared).toMatchObject({ taskId, after: undefined, gap: undefined });
    await report(2);
    const reads = vi.spyOn(host.store, 'read');
    go();
    await vi.waitFor(() => expect(reads).toHaveBeenCalled());
    // What was read beforehand is not read again.
    expect(reads.mock.calls[0]?.[1]).toBeGreaterThan(1);
    await finish();
    const { text } = await watched;
    expect(text).toContain('"extensions":["gap"]');
    expect(idsIn(text)).toEqual(await logOf(host, taskId));
  });

  it('is followed without a response too, and costs nothing where it is not used', async () => {
    const host = await ownBridge({ live: { viewersPerOwnerMax: 1 } });
    const { taskId, report, finish } = await host.start();
    await report(3);
    const tasks = host.bridge.tasks({ subject: 'ann' });
    const log = await logOf(host, taskId);
    for (let nth = 0; nth < 5; nth += 1) await tasks.prepare(taskId);
    const replay = await tasks.prepare(taskId, { after: log[0] });
    await finish();
    const ids: string[] = [];
    for await (const { eventId } of replay.subscribe()) ids.push(eventId);
    expect(ids).toEqual((await logOf(host, taskId)).slice(1));
  });
});

describe('a prepared replay whose caller’s credentials have ended', () => {
  it('gives nothing of what was read before', async () => {
    const clock = fakeClock();
    const { bridge } = await ownBridge({ clock });
    const tasks = bridge.tasks({ subject: 'ann', expiresAt: clock.now() + 1_000 });
    const { taskId } = await tasks.create({ clientRequestId: 'r', taskType: 'ask' });
    await vi.waitFor(async () => expect((await tasks.snapshot(taskId)).state).toBe('suspended'));
    const replay = await tasks.prepare(taskId);
    clock.advance(1_000);
    await expect(replay.subscribe()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR' });
    const port = await serve((req, res) => {
      try {
        replay.openSse(req, res);
      } catch (error) {
        bridge.answerError(res, error);
      }
    });
    expect((await get(port, '/')).status).toBe(401);
  });
});

describe('a WebSocket on a route of the host’s own', () => {
  const conversation = async (url: string, taskId: string, headers: Record<string, string> = {}) => {
    const ws = new WebSocket(url, { headers });
    const frames: { readonly type: string; readonly eventId?: string }[] = [];
    ws.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as (typeof frames)[number]));
    ws.on('error', () => undefined);
    ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId })));
    const [code] = (await once(ws, 'close')) as [number];
    return { code, frames };
  };
  const factsIn = (frames: readonly { readonly type: string; readonly eventId?: string }[]) =>
    frames.filter(({ type }) => type.startsWith('TASK_')).map(({ eventId }) => eventId);

  /** A host that takes the sockets itself, or hands the upgrade on; `opened` counts sockets that are taken. */
  async function wsHost(how: 'accepted' | 'handed on', options: Parameters<typeof ownBridge>[0] = {}) {
    const host = await ownBridge(options);
    const { bridge } = host;
    // Compression is what a host may have on: it must not change the order of frames.
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
    const port = await serve(
      (_req, res) => void res.end(),
      (req, socket, head) => {
        const tasks = bridge.tasks({ subject: subjectOf(req) });
        if (how === 'handed on') tasks.acceptUpgrade(req, socket, head);
        else sockets.handleUpgrade(req, socket, head, (ws) => tasks.openWebSocket(ws, req));
      },
    );
    return { ...host, url: `ws://127.0.0.1:${port}/mine` };
  }

  it.each(['accepted', 'handed on'] as const)('that is %s talks as ours does', async (how) => {
    const host = await wsHost(how, { streams: { webSocket: { terminalCloseCode: 4000 } } });
    const { taskId, report, finish } = await host.start();
    await report(3);
    const watched = conversation(`${host.url}?extensions=gap`, taskId);
    await report(5);
    await finish();
    const { code, frames } = await watched;
    expect(code).toBe(4000);
    expect(frames[0]).toMatchObject({ type: 'SUBSCRIPTION_CONFIRMED', taskId, extensions: ['gap'] });
    expect(factsIn(frames)).toEqual(await logOf(host, taskId));
    expect(await conversation(host.url, 'f'.repeat(32))).toEqual({ code: 1008, frames: [] });
    expect(await conversation(host.url, taskId, { authorization: 'bob' })).toEqual({ code: 1008, frames: [] });
    const shared = await (async () => {
      const ws = new WebSocket(`${host.url}?extensions=multiplex`);
      const [data] = (await once(ws, 'message')) as [Buffer];
      ws.terminate();
      return JSON.parse(data.toString()) as object;
    })();
    expect(shared).toEqual({ type: 'EXTENSIONS_GRANTED', extensions: ['multiplex'] });
  });

  it.each([
    ['accepted', 'cut'],
    ['handed on', 429],
  ] as const)('that is %s has no room above the sockets of one owner', async (how, refused) => {
    const host = await wsHost(how, { live: { socketsPerOwnerMax: 1 } });
    const first = new WebSocket(host.url);
    await once(first, 'open');
    const second = new WebSocket(host.url);
    second.on('error', () => undefined);
    const seen = await new Promise((resolve) => {
      second.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      second.once('close', (code) => resolve(code === 1006 ? 'cut' : code));
    });
    expect(seen).toBe(refused);
    const other = new WebSocket(host.url, { headers: { authorization: 'bob' } });
    await once(other, 'open');
    first.terminate();
    other.terminate();
  });

  it('is refused where its credentials have ended, and pages of foreign origins may not use cookies', async () => {
    const { bridge } = await ownBridge();
    const sockets = new WebSocketServer({ noServer: true });
    let now = 1_000;
    const clocked = await ownBridge({
      clock: { now: () => now, setTimeout: (call, ms) => setTimeout(call, ms), clearTimeout: () => undefined },
    });
    const tasks = clocked.bridge.tasks({ subject: 'ann', expiresAt: 2_000 });
    now = 2_000;
    const port = await serve(
      (_req, res) => void res.end(),
      (req, socket, head) => {
        if (req.url === '/accepted') sockets.handleUpgrade(req, socket, head, (ws) => tasks.openWebSocket(ws, req));
        else if (req.url === '/handed-on') tasks.acceptUpgrade(req, socket, head);
        else bridge.tasks({ subject: 'ann' }).acceptUpgrade(req, socket, head);
      },
    );
    expect(await conversation(`ws://127.0.0.1:${port}/accepted`, 'x')).toEqual({ code: 1008, frames: [] });
    const refusal = (path: string, headers: Record<string, string> = {}) =>
      new Promise((resolve) => {
        const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
        ws.on('error', () => undefined);
        ws.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      });
    expect(await refusal('/handed-on')).toBe(401);
    expect(await refusal('/page', { cookie: 'a=b', origin: 'https://evil.example' })).toBe(403);
  });

  it.each(['credentials ended', 'no room', 'closing'] as const)(
    'that sends no frame at all once it is refused harms nobody: %s',
    async (state) => {
      const clock = fakeClock();
      const { bridge } = await ownBridge({ clock, live: { viewersPerOwnerMax: 1 } });
      const tasks = bridge.tasks({ subject: 'ann', expiresAt: clock.now() + 1_000 });
      if (state === 'credentials ended') clock.advance(1_000);
      if (state === 'no room') {
        const { taskId } = await tasks.create({ clientRequestId: 'r', taskType: 'ask' });
        const facts = tasks.subscribe(taskId)[Symbol.asyncIterator]();
        await facts.next();
      }
      if (state === 'closing') await bridge.close();
      const sockets = new WebSocketServer({ noServer: true });
      let taken: WebSocket | undefined;
      const port = await serve(
        (_req, res) => void res.end(),
        (req, socket, head) =>
          sockets.handleUpgrade(req, socket, head, (ws) => {
            taken = ws;
            tasks.openWebSocket(ws, req);
          }),
      );
      const peer = new WebSocket(`ws://127.0.0.1:${port}/`);
      peer.on('error', () => undefined);
      const gone = once(peer, 'close');
      await vi.waitFor(() => expect(taken).toBeDefined());
      // What ws does with a frame that is none; without a listener it throws.
      taken?.emit('error', new RangeError('Invalid WebSocket frame'));
      await gone;
    },
  );

  it.each(['closed', 'closing'] as const)('that is %s before it is opened takes no room and no timer', async (state) => {
    const clock = fakeClock();
    const { bridge } = await ownBridge({ clock, live: { socketsPerOwnerMax: 1 } });
    const tasks = bridge.tasks({ subject: 'ann' });
    const sockets = new WebSocketServer({ noServer: true });
    const armed: (readonly number[])[] = [];
    const port = await serve(
      (_req, res) => void res.end(),
      (req, socket, head) =>
        sockets.handleUpgrade(req, socket, head, (ws) => {
          if (req.url !== '/late') return tasks.openWebSocket(ws, req);
          const open = () => {
            armed.push(clock.armed);
            tasks.openWebSocket(ws, req);
            armed.push(clock.armed);
          };
          if (state === 'closed') ws.once('close', open).terminate();
          else {
            ws.close();
            open();
          }
        }),
    );
    const first = new WebSocket(`ws://127.0.0.1:${port}/late`);
    first.on('error', () => undefined);
    await vi.waitFor(() => expect([armed.length, first.readyState]).toEqual([2, WebSocket.CLOSED]));
    expect(armed[1]).toEqual(armed[0]);
    const second = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(second, 'open');
    // Answered by a session, which only one that has room is given; others are cut.
    second.send(JSON.stringify({ action: 'subscribe', taskId: 'f'.repeat(32) }));
    expect((await once(second, 'close'))[0]).toBe(1008);
  });

  it.each<[string, (given: { tasks: CallerTasks; bridge: TaskBridge }) => Upgrade]>([
    [
      'handed on twice',
      ({ tasks }) =>
        (...given) =>
          [0, 1].forEach(() => tasks.acceptUpgrade(...given)),
    ],
    [
      'handed on, and to our route too',
      ({ tasks, bridge }) => {
        // The route is there with the handler.
        bridge.handler();
        return (...given) => {
          given[0].url = '/api/v1/tasks/ws';
          tasks.acceptUpgrade(...given);
          bridge.upgrade(...given);
        };
      },
    ],
    [
      'handed on, and to one with no right to it too',
      ({ tasks }) =>
        (...given) => {
          tasks.acceptUpgrade(...given);
          given[0].headers.cookie = 'a=b';
          given[0].headers.origin = 'https://evil.example';
          tasks.acceptUpgrade(...given);
        },
    ],
    [
      'taken by the host, and handed on too',
      ({ tasks }) => {
        const sockets = new WebSocketServer({ noServer: true });
        return (req, socket, head) => {
          sockets.handleUpgrade(req, socket, head, (ws) => tasks.openWebSocket(ws, req));
          tasks.acceptUpgrade(req, socket, head);
        };
      },
    ],
    [
      'taken by the host, and opened twice',
      ({ tasks }) => {
        const sockets = new WebSocketServer({ noServer: true });
        return (req, socket, head) => sockets.handleUpgrade(req, socket, head, (ws) => [0, 1].forEach(() => tasks.openWebSocket(ws, req)));
      },
    ],
  ])('that is %s talks once', async (_how, listener) => {
    const host = await ownBridge();
    const { bridge, logged } = host;
    const port = await serve((_req, res) => void res.end(), listener({ tasks: bridge.tasks({ subject: 'ann' }), bridge }));
    const { taskId, report, finish } = await host.start();
    await report(2);
    await finish();
    const { code, frames } = await conversation(`ws://127.0.0.1:${port}/`, taskId, { authorization: 'ann' });
    expect(code).toBe(1000);
    expect(factsIn(frames)).toEqual(await logOf(host, taskId));
    await vi.waitFor(() => expect(logged).toEqual([expect.stringContaining('give each upgrade to one listener')]));
  });

  it('is cut when the bridge closes', async () => {
    const host = await wsHost('accepted');
    const { taskId } = await host.start();
    const watching = conversation(host.url, taskId);
    const idle = new WebSocket(host.url);
    idle.on('error', () => undefined);
    await once(idle, 'open');
    await vi.waitFor(async () => expect(await host.bridge.tasks({ subject: 'ann' }).snapshot(taskId)).toMatchObject({ state: 'running' }));
    const closed = once(idle, 'close');
    await host.bridge.close();
    expect((await closed)[0]).toBe(1006);
    expect((await watching).code).toBe(1006);
  });
});
