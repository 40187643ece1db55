import { createServer, request, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import type { TaskBridge } from 'taskbridge/server';
import { onLoopback } from '../support/loopback.ts';
import { ownBridge } from './own-bridge.ts';

type RequestHandler = ReturnType<TaskBridge['handler']>;

const authorized = { authorization: 'ann' };

async function serve(listener: RequestListener, onUpgrade?: Parameters<ReturnType<typeof createServer>['on']>[1]): Promise<string> {
  const server = createServer(listener);
  if (onUpgrade) server.on('upgrade', onUpgrade);
  const { url, close } = await onLoopback(server);
  onTestFinished(close);
  return url;
}

/** What Connect and Express do: one after the other, each of which calls the next or answers. */
function chain(...handlers: RequestHandler[]): RequestListener {
  return (req: IncomingMessage, res: ServerResponse) => {
    const run = (index: number): void => handlers[index]?.(req, res, () => run(index + 1));
    run(0);
  };
}

describe('a handler for plain Node', () => {
  it('serves all of the protocol, WebSockets with it, to a client', async () => {
    const { bridge, start } = await ownBridge();
    const url = await serve(bridge.handler(), bridge.upgrade);
    const client = createTaskBridgeClient({ baseUrl: url, auth: () => 'token' });
    onTestFinished(() => client.close());
    const { taskId } = await client.start({ taskType: 'count', input: { rows: 3 } });
    const types: string[] = [];
    for await (const { type } of client.observe(taskId)) types.push(type);
    expect(types).toEqual(['TASK_STARTED', 'TASK_COMPLETED']);
    expect(await bridge.tasks({ subject: 'Bearer token' }).get(taskId)).toMatchObject({ result: { names: [], rows: 3 } });
    const waiting = await start();
    expect((await fetch(`${url}/api/v1/tasks/${waiting.taskId}/cancel`, { method: 'POST', headers: authorized })).status).toBe(202);
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  });

  it.each(['ws', 'sse'])('serves our client by %s, whatever the streams are set to', async (transport) => {
    const { bridge, start } = await ownBridge({
      streams: {
        sse: { heartbeatComment: false, heartbeatFrame: false, preambleBytes: 4096, liveFactsMax: 1, replayFactsMax: 2 },
        webSocket: { heartbeatFrame: false, terminalCloseCode: 4000, invalidFrameCloseCode: 4400, liveFactsMax: 1, replayFactsMax: 2 },
      },
    });
    const url = await serve(bridge.handler(), bridge.upgrade);
    const subject = 'Bearer token';
    const { taskId, report, finish } = await start(subject);
    await report(5);
    const client = createTaskBridgeClient({ baseUrl: url, auth: () => 'token', ...(transport === 'sse' && { webSocketTries: 0 }) });
    onTestFinished(() => client.close());
    const used = new Set<string | null>();
    const ids: string[] = [];
    const observation = client.observe(taskId);
    observation.subscribe(({ connection }) => void used.add(connection.transport));
    for await (const { eventId } of observation) {
      ids.push(eventId);
      if (ids.length === 3) void report(20).then(finish);
    }
    const { events } = await bridge.tasks({ subject }).poll(taskId);
    expect(ids).toEqual(events.map(({ eventId }) => eventId));
    expect([...used].filter((name) => name !== null)).toEqual([transport]);
    // Behind the end there is nothing, and nobody comes back for it.
    const behind: string[] = [];
    for await (const { eventId } of client.observe(taskId, { lastEventId: ids.at(-1) ?? '' })) behind.push(eventId);
    expect(behind).toEqual([]);
  });

  it('answers everything else 404 with the envelope, also while a body is being sent', async () => {
    const { bridge } = await ownBridge();
    const url = await serve(bridge.handler({ prefix: '/tasks-api' }));
    for (const [path, init] of [
      ['/', {}],
      ['/api/v1/tasks', { method: 'POST', headers: authorized, body: 'x'.repeat(3_000_000) }],
      ['/tasks-apix', {}],
    ] as const) {
      const answer = await fetch(`${url}${path}`, init);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await answer.json()).toMatchObject({ code: 'NOT_FOUND', details: {}, timestamp: expect.stringMatching(/Z$/) as string });
    }
    expect((await fetch(`${url}/tasks-api/tasks/${'f'.repeat(32)}`)).status).toBe(401);
    expect((await fetch(`${url}/tasks-api/nothing`, { headers: authorized })).status).toBe(404);
    expect((await fetch(`${url}/tasks-api/tasks`, { method: 'PUT', headers: authorized })).status).toBe(405);
  });

  it('answers a target that is no URL 400, and says nothing on the console', async () => {
    const { bridge } = await ownBridge();
    const url = new URL(await serve(bridge.handler()));
    const call = request({ port: url.port, host: url.hostname, path: 'http://[' }).end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    expect(response.resume().statusCode).toBe(400);
  });
});

describe('a handler among others', () => {
  it('hands on what is not ours as it came, and answers the rest', async () => {
    const { bridge } = await ownBridge();
    const url = await serve(
      chain(
        (req, res, next) => {
          res.setHeader('X-Before', 'yes');
          if (req.url === '/refused') res.statusCode = 418;
          next?.();
        },
        bridge.handler({ prefix: '/ours' }),
        async (req, res) => {
          let body = '';
          for await (const chunk of req.setEncoding('utf8')) body += chunk as string;
          res.end(`theirs ${req.method} ${req.url} ${body}`);
        },
      ),
    );
    const theirs = await fetch(`${url}/other?a=b`, { method: 'POST', body: 'hello' });
    // Nothing of a 404 is left on the response.
    expect([theirs.status, theirs.headers.get('x-before'), theirs.headers.get('content-type')]).toEqual([200, 'yes', null]);
    expect(await theirs.text()).toBe('theirs POST /other?a=b hello');
    // Nor is what somebody before us has said of it lost.
    expect((await fetch(`${url}/refused`)).status).toBe(418);
    const ours = await fetch(`${url}/ours/tasks/${'f'.repeat(32)}`, { headers: authorized });
    expect([ours.status, ours.headers.get('x-before')]).toEqual([404, 'yes']);
    expect(await ours.json()).toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  });

  it('leaves each path to its own bridge', async () => {
    const [one, other] = [await ownBridge(), await ownBridge()];
    const handlers = [one.bridge.handler({ prefix: '/one' }), other.bridge.handler({ prefix: '/other' })];
    const url = await serve(chain(...handlers, (_req, res) => void res.writeHead(418).end()));
    const { taskId } = await other.start();
    expect((await fetch(`${url}/other/tasks/${taskId}`, { headers: authorized })).status).toBe(200);
    expect((await fetch(`${url}/one/tasks/${taskId}`, { headers: authorized })).status).toBe(404);
    expect((await fetch(`${url}/neither`)).status).toBe(418);
  });

  it('streams to the end below its prefix', async () => {
    const { bridge, start } = await ownBridge();
    const url = await serve(chain(bridge.handler({ prefix: '/ours' }), (_req, res) => void res.writeHead(418).end()));
    const { taskId, finish } = await start();
    const stream = await fetch(`${url}/ours/tasks/${taskId}/events/stream`, { headers: authorized });
    await finish();
    expect(await stream.text()).toContain('"type":"TASK_COMPLETED"');
  });
});
