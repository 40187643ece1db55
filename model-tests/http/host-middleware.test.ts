import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type TaskBridge, type TaskBridgeOptions } from '../../server/index.ts';

/** A bridge and what stands before it; whoever comes is ann. */
async function hosted(around: (bridge: TaskBridge) => RequestListener, options: Partial<TaskBridgeOptions> = {}) {
  const warnings: unknown[][] = [];
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({
      work: async () => 'done',
      ask: async (task) => void (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] })),
    }),
    auth: () => ({ subject: 'ann' }),
    logger: { warn: (...args: unknown[]) => void warnings.push(args), error: (...args: unknown[]) => void warnings.push(args) },
    ...options,
  });
  const server = createServer(around(bridge)).listen(0, '127.0.0.1');
  server.on('upgrade', bridge.upgrade);
  await once(server, 'listening');
  await bridge.start();
  onTestFinished(async () => {
    await bridge.close();
    server.closeAllConnections();
    server.close();
  });
  const tasks = bridge.tasks({ subject: 'ann' });
  const start = async (taskType: string): Promise<string> => (await tasks.start({ clientRequestId: 'r', taskType })).taskId;
  return { bridge, warnings, start, tasks, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it('a session that sets its cookie behind a stream is told to the logger of the bridge, and is no error of the app', async () => {
  const errors = vi.fn();
  const { url, start, warnings } = await hosted((bridge) => {
    const app = new Koa();
    app.on('error', errors);
    // As koa-session does it, with a rolling cookie.
    app.use(async (ctx, next) => {
      try {
        await next();
      } finally {
        ctx.cookies.set('koa.sess', 'x');
      }
    });
    app.use(bridge.middleware());
    return app.callback() as RequestListener;
  });
  const taskId = await start('ask');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const stream = await fetch(`${url}/api/v1/tasks/${taskId}/events/stream`, { signal: stop.signal });
  expect(stream.status).toBe(200);
  const first = await stream.body?.getReader().read();
  expect(first?.done).toBe(false);
  await vi.waitFor(() => expect(warnings.map(([message]) => message)).toEqual([expect.stringContaining('when a stream has begun')]));
  expect(errors).not.toHaveBeenCalled();
  // What is no stream has its cookie.
  expect((await fetch(`${url}/api/v1/tasks/${taskId}`)).headers.get('set-cookie')).toContain('koa.sess');
});

it('below a path of Express it says once that WebSockets do not come here, and takes them with mountPath', async () => {
  const below = (bridge: TaskBridge, mountPath?: string): RequestListener => {
    const handler = bridge.handler(mountPath === undefined ? {} : { mountPath });
    return (req, res) => {
      // As Express and Connect do it.
      Object.assign(req, { originalUrl: req.url, url: req.url?.replace('/x', '') });
      handler(req, res, () => res.writeHead(404).end());
    };
  };
  const unaware = await hosted((bridge) => below(bridge));
  for (const path of ['/x/api/v1/tasks/1', '/x/health']) await fetch(`${unaware.url}${path}`);
  expect(unaware.warnings).toEqual([[expect.stringContaining('WebSockets are not taken'), { taken: '/x', mountPath: '' }]]);
  const aware = await hosted((bridge) => below(bridge, '/x'));
  await fetch(`${aware.url}/x/api/v1/tasks/1`);
  const ws = new WebSocket(`${aware.url.replace('http', 'ws')}/x/api/v1/tasks/ws`);
  await once(ws, 'open');
  ws.terminate();
  expect(aware.warnings).toEqual([]);
});

it('a stream whose cursor is at the terminal fact is answered 204, so that an EventSource asks no more; any other is a stream', async () => {
  const { url, start, tasks } = await hosted((bridge) => bridge.handler());
  const taskId = await start('work');
  await vi.waitFor(async () => expect((await tasks.get(taskId)).state).toBe('completed'));
  const { lastEventId } = await tasks.get(taskId);
  const last = lastEventId ?? '';
  const stream = (headers: Record<string, string>, query = '') => fetch(`${url}/api/v1/tasks/${taskId}/events/stream${query}`, { headers });
  for (const answer of [await stream({ 'last-event-id': last }), await stream({}, `?lastEventId=${last}`)])
    expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([204, 'no-store', '']);
  // Nothing, the one before, and one of another history.
  for (const cursor of ['', '1-1', `${last}1`]) {
    const answer = await stream({ 'last-event-id': cursor });
    expect([answer.status, (await answer.text()).includes('TASK_COMPLETED')]).toEqual([200, true]);
  }
});

it('a bad cursor on a WebSocket is named in the reason of its close', async () => {
  const { url, start } = await hosted((bridge) => bridge.handler());
  const taskId = await start('ask');
  const reasonFor = async (frame: object): Promise<[number, string]> => {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`);
    await once(ws, 'open');
    ws.send(JSON.stringify({ action: 'subscribe', taskId, ...frame }));
    const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
    return [code, String(reason)];
  };
  expect(await reasonFor({ lastEventId: '$' })).toEqual([1008, 'lastEventId must be an event id like "12-1790000000000", "" or "0-0"']);
  expect(await reasonFor({ from: 1 })).toEqual([1008, 'from is unknown']);
  const [code, reason] = await reasonFor({ ['ü'.repeat(10_000)]: 1 });
  expect([code, reason.length]).toEqual([1008, 61]);
});

it('names Retry-After for pages of other origins, and leaves what the host has named', async () => {
  const limited = { live: { viewersPerOwnerMax: 1 } };
  const refusal = async (own?: string) => {
    const { url, start } = await hosted((bridge) => {
      const app = new Koa();
      app.use(async (ctx, next) => {
        if (own) ctx.set('Access-Control-Expose-Headers', own);
        await next();
      });
      app.use(bridge.middleware());
      return app.callback() as RequestListener;
    }, limited);
    const taskId = await start('ask');
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const stream = (): Promise<Response> => fetch(`${url}/api/v1/tasks/${taskId}/events/stream`, { signal: stop.signal });
    await stream();
    const { status, headers } = await stream();
    return [status, headers.get('retry-after'), headers.get('access-control-expose-headers')];
  };
  expect(await refusal()).toEqual([429, '5', 'Retry-After']);
  expect(await refusal('X-Own')).toEqual([429, '5', 'X-Own']);
});
