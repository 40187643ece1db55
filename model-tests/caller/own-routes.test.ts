import { once } from 'node:events';
import { request, type IncomingMessage, type RequestListener } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import type { PreparedReplay, TaskBridge } from 'taskbridge/server';
import { fakeClock } from '../support/fake-clock.ts';
import { idsOf, logOf, ownBridge, type OwnBridge } from './own-bridge.ts';
import { serveOwn, subjectOf } from './own-server.ts';

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
    const port = await serveOwn(watchRoute(host.bridge));
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
    const port = await serveOwn(watchRoute(host.bridge));
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
    const port = await serveOwn(watchRoute(host.bridge));
    const { path, subject = 'ann' } = prepare(host, taskId);
    const answer = await get(port, path, { authorization: subject });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ code, details: expect.any(Object) as object, timestamp: expect.any(String) as string });
  });

  it('has no room where its caller has as many viewers as one may, of whatever kind', async () => {
    const host = await ownBridge({ live: { viewersPerOwnerMax: 1 } });
    const { taskId } = await host.start();
    const port = await serveOwn(watchRoute(host.bridge));
    const facts = host.bridge.tasks({ subject: 'ann' }).watch(taskId)[Symbol.asyncIterator]();
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
    const port = await serveOwn((req, res) => {
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
    const facts = tasks.watch(taskId)[Symbol.asyncIterator]();
    await facts.next();
    expect(await head(`/watch/${taskId}`)).toEqual(route);
    await facts.return?.();
  });

  it('hides what is no error of ours, and destroys a response that has begun', async () => {
    const { bridge, logged } = await ownBridge();
    const port = await serveOwn((req, res) => {
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
    const port = await serveOwn(async (req, res) => {
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
    expect(await idsOf(replay.watch())).toEqual((await logOf(host, taskId)).slice(1));
  });
});

describe('a prepared replay whose caller’s credentials have ended', () => {
  it('gives nothing of what was read before', async () => {
    const clock = fakeClock();
    const { bridge } = await ownBridge({ clock });
    const tasks = bridge.tasks({ subject: 'ann', expiresAt: clock.now() + 1_000 });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
    await vi.waitFor(async () => expect((await tasks.get(taskId)).state).toBe('suspended'));
    const replay = await tasks.prepare(taskId);
    clock.advance(1_000);
    await expect(replay.watch()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR' });
    const port = await serveOwn((req, res) => {
      try {
        replay.openSse(req, res);
      } catch (error) {
        bridge.answerError(res, error);
      }
    });
    expect((await get(port, '/')).status).toBe(401);
  });
});
