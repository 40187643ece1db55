import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { TaskBridgeClientError } from 'taskbridge/client';
import type { WebSocketConstructor } from 'taskbridge/client/transports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerWith, rejectUpgrade, startBareServer } from '../conformance/client/bare-server.ts';
import { eventually } from '../support/eventually.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, fact, snapshotAt, TASK, writeEvents } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

/** A provider whose first token is out of date. */
function tokens(): { readonly auth: (request: { forceRefresh: boolean }) => string; readonly refreshes: () => number } {
  let token = 'old';
  let refreshes = 0;
  return {
    auth: ({ forceRefresh }) => {
      if (forceRefresh) refreshes += 1;
      if (forceRefresh) token = 'new';
      return token;
    },
    refreshes: () => refreshes,
  };
}
const envelope = (code: string): object => ({ code, message: `It is ${code}.`, details: {}, timestamp: '2026-01-01T00:00:00Z' });
const iterate = (observation: AsyncIterable<unknown>): Promise<unknown> => observation[Symbol.asyncIterator]().next();

describe('credentials', () => {
  test('are refreshed once after a 401, on each transport', async () => {
    for (const transport of ['ws', 'sse', 'poll'] as const) {
      const { script } = world.server;
      const isOld = (authorization: string | undefined): boolean => authorization === 'Bearer old';
      script.upgrade = ({ headers }) => (isOld(headers.authorization) ? [401, envelope('AUTHENTICATION_ERROR')] : undefined);
      script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
      script.stream = (response, { headers }) =>
        isOld(headers.authorization) ? void response.writeHead(401).end('{}') : writeEvents(response, completed(1));
      script.poll = (_, { headers }) =>
        isOld(headers.authorization) ? [401, {}] : { taskId: TASK, events: [completed(1)], nextAfterEventId: '1-1000', hasMore: false };
      const { auth, refreshes } = tokens();
      expect(await numbers(world.client({ auth, transports: [transport] }).observe(TASK))).toEqual([1]);
      expect(refreshes()).toBe(1);
    }
  });

  test('that are refused twice are the end', async () => {
    world.server.script.upgrade = () => [401, envelope('AUTHENTICATION_ERROR')];
    const { auth, refreshes } = tokens();
    const observation = world.client({ auth }).observe(TASK);
    await expect(iterate(observation)).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR', status: 401 });
    expect(refreshes()).toBe(1);
    expect(world.server.seen).toEqual(['ws', 'ws']);
    expect(observation.getSnapshot().connection).toMatchObject({ state: 'failed', error: { code: 'AUTHENTICATION_ERROR' } });
  });

  test('that were taken and have ended since are refreshed again, also where no fact came by them', async () => {
    let good = 1;
    let token = 0;
    world.server.script.upgrade = ({ headers }) =>
      headers.authorization === `Bearer ${good}` ? undefined : [401, envelope('AUTHENTICATION_ERROR')];
    world.server.script.subscribed = ({ socket, confirm, send }) => {
      confirm();
      if (good === 4) return send(completed(1));
      good += 1;
      socket.terminate();
    };
    const auth = ({ forceRefresh }: { readonly forceRefresh: boolean }): string => String(forceRefresh ? (token = good) : token);
    expect(await numbers(world.client({ auth, transports: ['ws'] }).observe(TASK))).toEqual([1]);
    expect(world.server.seen).toEqual(Array.from({ length: 8 }, () => 'ws'));
  });

  test('that have ended while somebody else answered are refreshed again, on the next transport', async () => {
    const { script } = world.server;
    let refreshes = 0;
    // A portal stands before the WebSocket whenever the token is good; by then that has ended for the stream.
    script.upgrade = ({ headers }) => (headers.authorization === 'Bearer 0' ? [401, envelope('AUTHENTICATION_ERROR')] : 302);
    script.stream = (response, { headers }) =>
      headers.authorization === 'Bearer 2'
        ? writeEvents(response, completed(1))
        : void response.writeHead(401).end(JSON.stringify(envelope('AUTHENTICATION_ERROR')));
    const auth = ({ forceRefresh }: { readonly forceRefresh: boolean }): string => String(forceRefresh ? (refreshes += 1) : refreshes);
    expect(await numbers(world.client({ auth, transports: ['ws', 'sse'] }).observe(TASK))).toEqual([1]);
    expect([refreshes, world.server.seen]).toEqual([2, ['ws', 'ws', 'sse', 'sse']]);
  });

  test('are refreshed once for any number of waiting calls', async () => {
    const { script } = world.server;
    script.command = (_path, _body, { headers }) =>
      headers.authorization === 'Bearer new'
        ? [202, { taskId: TASK, status: 'CANCELLATION_REQUESTED' }]
        : [401, envelope('AUTHENTICATION_ERROR')];
    const { auth, refreshes } = tokens();
    const client = world.client({ auth });
    await Promise.all(Array.from({ length: 8 }, () => client.cancel(TASK)));
    expect(refreshes()).toBe(1);
  });

  test('travel as a subprotocol where no headers can be set', async () => {
    const { script } = world.server;
    let offered: string | undefined;
    script.upgrade = ({ headers }) => void (offered = headers['sec-websocket-protocol']);
    script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    await numbers(world.client({ auth: () => 'töken+/', WebSocket: WebSocket as unknown as WebSocketConstructor }).observe(TASK));
    expect(offered).toBe(`taskbridge.v1,bearer.${Buffer.from('töken+/').toString('base64url')}`);
  });
});

describe('credentials leave for the origin of the base URL only', () => {
  test('no redirect is followed with them: not by commands, streams, polls or sockets', async () => {
    const strangers: string[] = [];
    const met = ({ request }: { readonly request: IncomingMessage }): void => void strangers.push(`${request.method} ${request.url}`);
    const elsewhere = await startBareServer({
      request: (arrival) => (met(arrival), answerWith(arrival.response, 200, snapshotAt(null))),
      upgrade: (upgrade) => (met(upgrade), rejectUpgrade(upgrade.socket, 404, {})),
    });
    const shown: string[] = [];
    const show = (kind: string, { headers }: IncomingMessage): number => shown.push(`${kind} ${headers.authorization}`);
    // A 307 asks for the same request, body and all, at another address.
    const there = ({ url }: IncomingMessage): Record<string, string> => ({ location: `${elsewhere.url}${url}` });
    const redirecting = await startBareServer({
      request: ({ kind, request, response }) => (show(kind, request), answerWith(response, 307, {}, there(request))),
      upgrade: ({ request, socket }) => (show('ws', request), rejectUpgrade(socket, 307, {}, there(request))),
    });
    const client = world.client({ baseUrl: redirecting.url, auth: () => 'secret', limits: { commandRetriesMax: 0 } });
    const attachments = [{ fileName: 'a', content: new Uint8Array(1) }];
    const commands = [
      () => client.start({ taskType: 'report' }),
      () => client.start({ taskType: 'report', attachments }),
      () => client.get(TASK),
    ];
    for (const command of commands) await expect(command()).rejects.toMatchObject({ code: 'NETWORK_ERROR' });
    const observation = client.observe(TASK);
    // All three rungs of the ladder.
    await eventually(() => ['ws', 'sse', 'poll'].every((kind) => shown.includes(`${kind} Bearer secret`)));
    observation.close();
    expect([...new Set(shown)].sort()).toEqual(['get', 'poll', 'post', 'sse', 'ws'].map((kind) => `${kind} Bearer secret`));
    expect(strangers).toEqual([]);
    await Promise.all([redirecting.close(), elsewhere.close()]);
  });

  test.each(['//evil.example/tasks', 'https://evil.example/tasks', 'tasks', '/tasks?to=evil', '/tasks#evil', '/\\evil.example'])(
    'and no route leads to another: %s is refused before anything is sent',
    async (route) => {
      let asked = 0;
      const routes = { tasks: () => route, events: () => route, stream: () => route, webSocket: () => route, cancel: () => route };
      const client = world.client({ routes, fetch: () => ((asked += 1), Promise.reject(new Error('Nobody may ask.'))) });
      for (const command of [() => client.start({ taskType: 'report' }), () => client.cancel(TASK)])
        await expect(command()).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringContaining('A route must') as string,
        });
      expect([asked, world.server.seen]).toEqual([0, []]);
    },
  );
});

describe('fatal answers', () => {
  test.each([
    [403, 'TASK_OWNERSHIP_ERROR'],
    [404, 'TASK_NOT_FOUND'],
    [422, 'REQUEST_VALIDATION_ERROR'],
  ] as const)('%i %s ends the observation at once', async (status, code) => {
    world.server.script.upgrade = () => [status, envelope(code)];
    await expect(iterate(world.client().observe(TASK))).rejects.toMatchObject({ code, status, message: `It is ${code}.` });
    expect(world.server.seen).toEqual(['ws']);
  });

  test('a close with 1008 is final after one refresh and one more connection', async () => {
    world.server.script.subscribed = ({ confirm, socket }) => (confirm(), socket.close(1008));
    const { auth, refreshes } = tokens();
    await expect(iterate(world.client({ auth }).observe(TASK))).rejects.toMatchObject({ code: 'CONNECTION_REFUSED', closeCode: 1008 });
    expect(refreshes()).toBe(1);
    // One more word is asked for, which changes nothing here.
    expect(world.server.seen).toEqual(['ws', 'ws', 'get']);
  });

  test('a close with 1008 is the snapshot’s refusal, where that says more', async () => {
    world.server.script.subscribed = ({ confirm, socket }) => (confirm(), socket.close(1008));
    world.server.script.snapshot = () => [404, { code: 'TASK_NOT_FOUND', message: 'No such task.' }];
    await expect(iterate(world.client().observe(TASK))).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
      status: 404,
      message: 'No such task.',
    });
  });

  test('a close with 4401 is final at once where there is nothing to refresh', async () => {
    world.server.script.subscribed = ({ confirm, socket }) => (confirm(), socket.close(4401));
    await expect(iterate(world.client().observe(TASK))).rejects.toBeInstanceOf(TaskBridgeClientError);
    expect(world.server.seen).toEqual(['ws', 'get']);
  });
});

describe('a socket lost before it opened, without a status', () => {
  const browser = WebSocket as unknown as WebSocketConstructor;

  test('is final where the task is unknown', async () => {
    world.server.script.upgrade = 404;
    world.server.script.snapshot = () => [404, envelope('TASK_NOT_FOUND')];
    await expect(iterate(world.client({ WebSocket: browser }).observe(TASK))).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(world.server.seen).toEqual(['ws', 'get']);
  });

  test('costs a refresh where the credentials are out of date', async () => {
    const { script, seen } = world.server;
    let isOld = true;
    script.upgrade = () => (isOld ? 401 : undefined);
    script.snapshot = () => [401, envelope('AUTHENTICATION_ERROR')];
    script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const auth = ({ forceRefresh }: { forceRefresh: boolean }): string => {
      if (forceRefresh) isOld = false;
      return 'token';
    };
    expect(await numbers(world.client({ WebSocket: browser, auth }).observe(TASK))).toEqual([1]);
    expect(seen).toEqual(['ws', 'get', 'ws']);
  });

  test('is a loss like any other where the task is there', async () => {
    const { script, seen } = world.server;
    script.upgrade = 503;
    script.snapshot = () => snapshotAt('1-1000');
    script.stream = (response) => writeEvents(response, fact(1), completed(2));
    await numbers(world.client({ WebSocket: browser, webSocketTries: 2 }).observe(TASK));
    expect(seen).toEqual(['ws', 'get', 'ws', 'get', 'sse']);
  });
});
