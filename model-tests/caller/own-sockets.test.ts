import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { CallerTasks, TaskBridge } from 'taskbridge/server';
import { fakeClock } from '../support/fake-clock.ts';
import { logOf, ownBridge } from './own-bridge.ts';
import { serveOwn, subjectOf, type Upgrade } from './own-server.ts';

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
    const port = await serveOwn(
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
    const port = await serveOwn(
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
        const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
        const facts = tasks.watch(taskId)[Symbol.asyncIterator]();
        await facts.next();
      }
      if (state === 'closing') await bridge.close();
      const sockets = new WebSocketServer({ noServer: true });
      let taken: WebSocket | undefined;
      const port = await serveOwn(
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
    const port = await serveOwn(
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
    const port = await serveOwn((_req, res) => void res.end(), listener({ tasks: bridge.tasks({ subject: 'ann' }), bridge }));
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
    await vi.waitFor(async () => expect(await host.bridge.tasks({ subject: 'ann' }).get(taskId)).toMatchObject({ state: 'running' }));
    const closed = once(idle, 'close');
    await host.bridge.close();
    expect((await closed)[0]).toBe(1006);
    expect((await watching).code).toBe(1006);
  });
});
