import { createServer } from 'node:http';
import Koa from 'koa';
import mount from 'koa-mount';
import Router from 'koa-router';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type PathParams, type TaskBridge, type TaskBridgeOptions } from '../../server/index.ts';
import type { RoutePaths } from '../../machines/routes/index.ts';
import { onLoopback } from '../support/loopback.ts';
import { RUNNING } from './fake-service.ts';
import { auth, startHost, type Host } from './host.ts';

const ada = { authorization: 'Bearer ada' };
const json = { ...ada, 'content-type': 'application/json' };

const everywhere: RoutePaths = {
  create: '/jobs/new',
  list: '/jobs/all',
  types: '/kinds',
  task: '/jobs/one/:taskId',
  remove: '/away/:taskId',
  attachment: '/file/:attachmentName/of/:taskId',
  part: '/words/:taskId/:partNumber',
  events: '/log/:taskId',
  stream: '/log/:taskId/live',
  sharedStream: '/log',
  cancel: '/stop/:taskId',
  actions: '/say/:taskId',
  webSocket: '/live',
  openapi: '/described',
  health: '/alive',
  ready: '/status/ready',
};

async function host(parts: Parameters<typeof startHost>[0]): Promise<Host> {
  const started = await startHost(parts);
  onTestFinished(() => started.close());
  return started;
}

/** What a GET of each path is answered: the status, and the host's own text where that answers. */
async function answers(url: string, paths: readonly string[], init: RequestInit = { headers: ada }): Promise<unknown[]> {
  return Promise.all(
    paths.map(async (path) => {
      const response = await fetch(url + path, init);
      const body = await response.text();
      return body === 'the host' ? body : response.status;
    }),
  );
}

describe('every path', () => {
  it('can be set, and is then no longer where it was', async () => {
    const { url, calls, live } = await host({ prefix: '/api', routes: everywhere });
    const post = (path: string, body: object) => fetch(`${url}/api${path}`, { method: 'POST', headers: json, body: JSON.stringify(body) });
    expect((await post('/jobs/new', { clientRequestId: 'r1', taskType: 'report' })).status).toBe(201);
    expect(await answers(`${url}/api`, [`/jobs/one/${RUNNING}`, `/log/${RUNNING}`, `/log/${RUNNING}/live`])).toEqual([200, 200, 200]);
    expect((await post(`/stop/${RUNNING}`, {})).status).toBe(202);
    expect((await post(`/say/${RUNNING}`, { clientActionId: 'a', suspendId: 's', actionType: 't' })).status).toBe(202);
    expect(calls.map(({ verb }) => verb)).toEqual(['create', 'cancel', 'act']);
    expect(await answers(`${url}/api`, ['/jobs/all'])).toEqual([200]);
    expect(await answers(`${url}/api`, [`/words/${RUNNING}/2`, `/words/${RUNNING}/2?offset=x`, `/words/unknown/2`])).toEqual([
      200, 422, 404,
    ]);
    expect(await answers(`${url}/api`, [`/file/a.csv/of/${RUNNING}`, `/file/a.csv/of/unknown`])).toEqual([200, 404]);
    expect(await answers(`${url}/api`, [`/away/${RUNNING}`], { method: 'DELETE', headers: ada })).toEqual([409]);
    expect(await answers(`${url}/api`, [`/log?tasks=${RUNNING}@`])).toEqual([200]);
    expect(live.streams.map(({ taskId }) => taskId)).toEqual([RUNNING]);
    expect(live.shared.map(({ tasks }) => tasks)).toEqual([[{ taskId: RUNNING, cursor: null, parts: undefined, refusal: undefined }]]);
    expect(await answers(url, ['/alive', '/status/ready', '/health', '/ready'])).toEqual([200, 200, 'the host', 'the host']);
    expect(await answers(`${url}/api`, [`/tasks/${RUNNING}`, '/tasks', `/jobs/one/${RUNNING}/x`])).toEqual([404, 404, 404]);
    const socket = await fetch(`${url}/api/live`, { headers: ada });
    expect([socket.status, socket.headers.get('upgrade')]).toEqual([400, 'websocket']);
  });

  it('may be the prefix itself', async () => {
    const { url } = await host({ prefix: '/jobs', routes: { create: '/', task: '/:taskId', webSocket: '/ws' } });
    const body = JSON.stringify({ clientRequestId: 'r1', taskType: 'report' });
    expect((await fetch(`${url}/jobs`, { method: 'POST', headers: json, body })).status).toBe(201);
    expect(await answers(url, [`/jobs/${RUNNING}`, '/jobs', '/jobs/ws', '/'])).toEqual([200, 200, 400, 'the host']);
  });

  it('is looked at when the bridge is made, and when it is mounted', async () => {
    const options = { store: memoryStore(), executor: inProcess({}), auth: () => undefined };
    expect(() => createTaskBridge({ ...options, routes: { task: '/tasks' } })).toThrow('routes.task ("/tasks") must contain :taskId');
    const bridge = createTaskBridge({ ...options, routes: { create: '/:projectId' } });
    expect(() => bridge.middleware({ prefix: '/:projectId' })).toThrow('has the name :projectId twice');
    expect(() => bridge.middleware({ mountPath: '/:a' })).toThrow('mountPath ("/:a") must be plain text');
  });
});

describe('what is ours', () => {
  it('is everything below the prefix, with the methods that a path takes', async () => {
    const { url } = await host({ prefix: '/api', routes: everywhere });
    const wrong = await fetch(`${url}/api/stop/${RUNNING}`, { headers: ada });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    const options = await fetch(`${url}/api/log/${RUNNING}`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'HEAD, GET, OPTIONS']);
    expect(await answers(url, ['/api', '/api/other', '/apix'])).toEqual([404, 404, 'the host']);
  });

  it('without plain text in the prefix is what lies below that of a route', async () => {
    const { url } = await host({ prefix: '/:tenant', routes: { ...everywhere, webSocket: '/live/:room' } });
    const paths = ['/jobs/new', '/jobs/one/x/y', '/log/x/y', '/live', '/live/a/b', '/jobs', '/lives', '/other', ''];
    expect(await answers(`${url}/acme`, paths)).toEqual([405, 404, 404, 404, 404, 'the host', 'the host', 'the host', 'the host']);
  });

  it('below a route that lies below another’s is answered as below that', async () => {
    const { url } = await host({ prefix: '' });
    expect(await answers(url, ['/tasks/ws/x', `/tasks/${RUNNING}/x`, '/tasks'])).toEqual([404, 404, 200]);
  });

  it('without any plain text is the routes alone', async () => {
    const { url } = await host({ prefix: '', routes: { ...everywhere, task: '/:taskId', create: '/:kind', list: '/:kind/all' } });
    expect(await answers(url, [`/${RUNNING}`, '/a/b'])).toEqual([200, 'the host']);
    expect(await answers(url, [`/${RUNNING}`], { method: 'PUT', headers: ada })).toEqual(['the host']);
  });
});

/** Who asked, and what the resolver was told of the path. */
function noting() {
  const seen: PathParams[] = [];
  const resolver: typeof auth = (request, route) => {
    seen.push(route.params);
    return auth(request, route);
  };
  return { seen, resolver };
}

describe('the parameters of a path', () => {
  it('reach the resolver, decoded, those of the prefix and of the route', async () => {
    const { seen, resolver } = noting();
    const { url } = await host({ prefix: '/p/:projectId', routes: { task: '/:kind/:taskId', create: '/new' }, auth: resolver });
    await answers(`${url}/p`, [`/a%20b%2F..%2Fc+d/report/${RUNNING}`]);
    await answers(`${url}/p`, [`/%E2%82%AC/${RUNNING}/unknown/x`]);
    await answers(`${url}/p`, [`/7/new`, `/7/report/${RUNNING}`], { method: 'DELETE', headers: ada });
    expect(seen.map((params) => ({ ...params }))).toEqual([
      { projectId: 'a b/../c+d', kind: 'report' },
      { projectId: '€' },
      { projectId: '7' },
      { projectId: '7', kind: 'report' },
    ]);
    expect(seen.map((params) => Object.getPrototypeOf(params) as unknown)).toEqual([null, null, null, null]);
  });

  it('are none where a path has no names, and no task id', async () => {
    const { seen, resolver } = noting();
    const { url } = await host({ auth: resolver });
    await answers(url, [`/api/v1/tasks/${RUNNING}`]);
    expect(seen.map((params) => Object.keys(params))).toEqual([[]]);
  });

  it('that are no UTF-8 are refused before anybody is asked; a task id like that is unknown', async () => {
    const { seen, resolver } = noting();
    const { url } = await host({ prefix: '/p/:projectId', auth: resolver });
    const refused = await fetch(`${url}/p/%ff/tasks/${RUNNING}`, { headers: ada });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, 'INVALID_REQUEST']);
    expect(await answers(url, ['/p/%ff/elsewhere', '/p/7/tasks/%ff'])).toEqual([400, 404]);
    expect(seen.map((params) => ({ ...params }))).toEqual([{ projectId: '7' }]);
  });

  it('have 1024 characters together, before anybody is asked who comes', async () => {
    const { seen, resolver } = noting();
    const { url } = await host({ prefix: '/p/:projectId/:part', auth: resolver });
    const long = 'ö'.repeat(1023);
    expect(await answers(url, [`/p/${encodeURIComponent(long)}/1/tasks/${RUNNING}`, `/p/${long}/12/tasks/${RUNNING}`])).toEqual([200, 400]);
    expect(seen.map((params) => params?.['projectId'])).toEqual([long]);
  });

  it('are written over what a resolver says of them, and go with a copy of its answer', async () => {
    const { url, service } = await host({ prefix: '/p/:projectId', auth: () => ({ subject: 'ada', params: { projectId: 'forged' } }) });
    let caller: unknown;
    service.snapshot = (who) => Promise.reject(((caller = who), new Error('seen')));
    await answers(url, [`/p/7/tasks/${RUNNING}`]);
    expect(caller).toEqual({ subject: 'ada', params: { projectId: '7' } });
  });
});

/** A host with a real bridge, mounted as it says. */
async function mountedHost(put: (app: Koa, bridge: TaskBridge) => void, options: Partial<TaskBridgeOptions> = {}) {
  const logged: unknown[] = [];
  const log = (message: string, fields?: object) => void logged.push([message, fields]);
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({ where: async ({ params }) => ({ ...params }) }),
    auth,
    logger: { warn: log, error: log },
    ...options,
  });
  const app = new Koa();
  app.silent = true;
  put(app, bridge);
  app.use((ctx) => void (ctx.body = 'the host'));
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res));
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const listening = await onLoopback(server);
  onTestFinished(async () => {
    await bridge.close();
    await listening.close();
  });
  const { url } = listening;

  /** Creates a task below a path, and gives what its handler said of the parameters, as a WebSocket of that mount shows it. */
  async function resultAt(path: string): Promise<unknown> {
    const body = JSON.stringify({ clientRequestId: `at ${path}`, taskType: 'where' });
    const created = await fetch(`${url}${path}/tasks`, { method: 'POST', headers: json, body });
    const { taskId } = (await created.json()) as { taskId: string };
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(`${url.replace('http', 'ws')}${path}/tasks/ws`, { headers: ada });
      ws.on('error', reject);
      ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId })));
      ws.on('message', (data: Buffer) => {
        const { type, payload } = JSON.parse(data.toString()) as { type: string; payload: { result?: unknown } };
        if (type === 'TASK_COMPLETED') resolve(payload.result);
      });
    });
  }
  return { url, resultAt, logged };
}

describe('a mount', () => {
  it('by koa-mount takes WebSockets too, once it knows what is taken off', async () => {
    const { url, resultAt, logged } = await mountedHost((app, bridge) =>
      app.use(mount('/x', bridge.middleware({ prefix: '/p/:projectId', mountPath: '/x' }))),
    );
    expect(await resultAt('/x/p/7')).toEqual({ projectId: '7' });
    expect(await answers(url, ['/x/health', '/health', '/x/p/7/other', '/x/other', '/p/7/tasks'])).toEqual([
      200,
      'the host',
      404,
      'the host',
      'the host',
    ]);
    expect(logged).toEqual([]);
  });

  it('by koa-mount that does not know it serves all else, and says so once', async () => {
    const { url, resultAt, logged } = await mountedHost((app, bridge) => app.use(mount('/x', bridge.middleware({ prefix: '/p' }))));
    expect(await answers(url, ['/x/p/other', '/x/p/tasks/1'])).toEqual([404, 404]);
    await expect(resultAt('/x/p')).rejects.toThrow('404');
    expect(logged).toEqual([
      ['WebSockets are not taken where this is mounted: give middleware() the same mountPath.', { taken: '/x', mountPath: '' }],
    ]);
  });

  it('below a router of the host’s has the whole path as its prefix', async () => {
    const { url, resultAt } = await mountedHost((app, bridge) => {
      const router = new Router();
      router.all('/x/:taskId{/*rest}', bridge.middleware({ prefix: '/x/:projectId' }));
      app.use(router.routes() as unknown as Koa.Middleware);
    });
    expect(await resultAt('/x/7')).toEqual({ projectId: '7' });
    const wrong = await fetch(`${url}/x/7/tasks/${RUNNING}/cancel`, { headers: ada });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    expect(await answers(url, ['/x/7/other', '/other'])).toEqual([404, 'the host']);
  });

  it('may be one of several of the same bridge', async () => {
    const { url, resultAt } = await mountedHost((app, bridge) => {
      app.use(bridge.middleware());
      app.use(bridge.middleware({ prefix: '/projects/:projectId' }));
      app.use(bridge.middleware({ prefix: '/:tenant/api' }));
    });
    expect(await resultAt('/api/v1')).toEqual({});
    expect(await resultAt('/projects/a%2Fb')).toEqual({ projectId: 'a/b' });
    expect(await resultAt('/acme/api')).toEqual({ tenant: 'acme' });
    expect(await answers(url, ['/api/v1/x', '/projects/7/x', '/acme/api/x', '/acme'])).toEqual([404, 404, 404, 'the host']);
  });
});
