import { createServer } from 'node:http';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import {
  createTaskBridgeClient,
  routesOf,
  type Observation,
  type Routes,
  type TaskBridgeClientOptions,
  type TransportName,
} from 'taskbridge/client/node';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import type { RoutePaths } from 'taskbridge/routes';
import { createTaskBridge } from 'taskbridge/server';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { onLoopback } from '../support/loopback.ts';
import { browser } from '../tabs/tabs-harness.ts';
import { createHarness, type Harness } from './harness.ts';

const TASK = `a7${'0'.repeat(30)}`;

const routes: RoutePaths = {
  create: '/jobs/new',
  list: '/jobs/all',
  types: '/typed',
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
const prefix = '/api/:region/projects/:projectId';
const params = { region: 'eu', projectId: 'a b/7' };
const settings = { prefix, routes, params };

describe('routesOf', () => {
  test('gives the protocol’s own routes where nothing is set', () => {
    const all = (given: Routes) => [
      given.tasks(),
      given.tasksWithAttachments(),
      given.list(),
      given.task(TASK),
      given.events(TASK),
      given.stream(TASK),
      given.sharedStream(),
      given.cancel(TASK),
      given.actions(TASK),
      given.webSocket(),
    ];
    const tasks = '/api/v1/tasks';
    const expected = [
      tasks,
      tasks,
      tasks,
      `${tasks}/${TASK}`,
      `${tasks}/${TASK}/events`,
      `${tasks}/${TASK}/events/stream`,
      `${tasks}/events/stream`,
      `${tasks}/${TASK}/cancel`,
      `${tasks}/${TASK}/actions`,
      `${tasks}/ws`,
    ];
    expect(all(routesOf())).toEqual(expected);
  });

  test('takes the settings of the server, and puts each value into one segment', () => {
    const given = routesOf(settings);
    expect(given.tasks()).toBe('/api/eu/projects/a%20b%2F7/jobs/new');
    expect(given.tasksWithAttachments()).toBe('/api/eu/projects/a%20b%2F7/jobs/new');
    expect(given.list()).toBe('/api/eu/projects/a%20b%2F7/jobs/all');
    expect(given.stream(TASK)).toBe(`/api/eu/projects/a%20b%2F7/log/${TASK}/live`);
    expect(given.webSocket()).toBe('/api/eu/projects/a%20b%2F7/live');
    expect(routesOf({ prefix: '/', routes: { create: '/' } }).tasks()).toBe('/');
    expect(routesOf({ prefix: '/jobs/', routes: { create: '/' } }).tasks()).toBe('/jobs');
  });

  test('takes values from the context of a call', () => {
    const given = routesOf({ ...settings, params: (context) => ({ region: 'eu', projectId: String(context?.['project']) }) });
    expect(given.cancel(TASK, { project: 'x?y#z' })).toBe(`/api/eu/projects/x%3Fy%23z/stop/${TASK}`);
  });

  test.each([undefined, '', '.', '..', '\ud800', 7, {}])('refuses the value %j', (value) => {
    const given = routesOf({ ...settings, params: { region: 'eu', projectId: value as string } });
    expect(() => given.task(TASK)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => given.task(TASK)).toThrow(':projectId in a route');
  });

  test('takes values that only look like a way up', () => {
    const path = (projectId: string) => routesOf({ ...settings, params: { region: 'eu', projectId } }).webSocket();
    expect([path('...'), path('..a'), path('%2e%2e'), path('😀')]).toEqual([
      '/api/eu/projects/.../live',
      '/api/eu/projects/..a/live',
      '/api/eu/projects/%252e%252e/live',
      '/api/eu/projects/%F0%9F%98%80/live',
    ]);
  });
});

describe('a route that is no relative path', () => {
  let world: Harness;
  beforeEach(async () => void (world = await createHarness()));
  afterEach(() => world.close());

  test.each(['https://evil.example/tasks', '//evil.example/tasks', 'tasks', '', '/tasks?x', '/tasks#x', '/\\evil.example', undefined])(
    'is refused before anything is sent: %j',
    async (path) => {
      const sent: string[] = [];
      const route = () => path as string;
      const client = world.client({
        routes: { tasks: route, cancel: route, task: route, events: route },
        transports: ['poll'],
        auth: () => (sent.push('credentials'), undefined),
        intercept: (transports) => ({ ...transports, fetch: (input, init) => (sent.push(input as string), transports.fetch(input, init)) }),
      });
      const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('A route must begin with one "/"') as string };
      await expect(client.start({ taskType: 't' })).rejects.toMatchObject(refusal);
      await expect(client.cancel(TASK)).rejects.toMatchObject(refusal);
      await expect(client.get(TASK)).rejects.toMatchObject(refusal);
      await expect(client.observe(TASK)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
      expect(sent.filter((one) => one !== 'credentials')).toEqual([]);
    },
  );

  test('of a prefix is refused too', async () => {
    await expect(world.client({ prefix: 'https://evil.example' }).get(TASK)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(world.client({ prefix: '/:projectId' }).get(TASK)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

/** A real server with every path changed, which notes what it is asked for. */
async function projectsHost() {
  const bridge = createTaskBridge({
    store: memoryStore(),
    attachments: memoryAttachments(),
    executor: inProcess({
      approve: async (task) => {
        const [file] = task.attachments;
        const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        return { went: actionType, params: { ...task.params }, bytes: file?.bytes ?? 0 };
      },
      wait: (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error))),
    }),
    auth: (_, { params: { projectId } }) => (projectId === undefined ? undefined : { subject: projectId }),
    routes,
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix }));
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  const asked: string[] = [];
  for (const event of ['request', 'upgrade'])
    server.on(event, ({ url = '', method }: { url?: string; method: string }) => asked.push(`${method} ${url.split('?')[0]}`));
  await bridge.start();
  const { url, close } = await onLoopback(server);
  onTestFinished(async () => {
    await bridge.close();
    await close();
  });
  const clientOf = (options: Partial<TaskBridgeClientOptions>) => {
    const client = createTaskBridgeClient({ baseUrl: url, routes: routesOf(settings), ...options });
    onTestFinished(() => client.close());
    return client;
  };
  return { url, asked, clientOf };
}

const below = '/api/eu/projects/a%20b%2F7';

/** Answers the one question of a task, and gives its result. */
async function answered(observation: Observation, act: (suspendId: string) => Promise<unknown>): Promise<unknown> {
  for await (const fact of observation) if (fact.type === 'TASK_SUSPENDED') await act((fact.payload as { suspendId: string }).suspendId);
  return observation.getSnapshot().task.result;
}

describe.each<TransportName>(['ws', 'sse', 'poll'])('a server with other paths, over %s', (transport) => {
  test('has tasks started with files, watched, answered, asked for and cancelled', async () => {
    const { asked, clientOf } = await projectsHost();
    const client = clientOf({ transports: [transport] });
    const attachments = [{ fileName: 'a.txt', contentType: 'text/plain', content: new TextEncoder().encode('four') }];
    const { taskId } = await client.start({ taskType: 'approve', attachments });
    const result = await answered(client.observe(taskId), (suspendId) => client.act(taskId, { suspendId, actionType: 'left' }));
    expect(result).toEqual({ went: 'left', params: { region: 'eu', projectId: 'a b/7' }, bytes: 4 });
    const other = await client.start({ taskType: 'wait' });
    expect((await client.cancel(other.taskId)).status).toBe('CANCELLATION_REQUESTED');
    for await (const _ of client.observe(other.taskId));
    expect((await client.get(other.taskId)).state).toBe('cancelled');
    const stream = { ws: `${below}/live`, sse: `${below}/log/${taskId}/live`, poll: `${below}/log/${taskId}` }[transport];
    const called = [`POST ${below}/jobs/new`, `POST ${below}/say/${taskId}`, `POST ${below}/stop/${other.taskId}`];
    expect(asked).toEqual(expect.arrayContaining([...called, `GET ${below}/jobs/one/${other.taskId}`, `GET ${stream}`]));
    expect(asked.filter((line) => !line.includes(below))).toEqual([]);
  });
});

describe('a server with other paths', () => {
  test('shares one socket between the tasks of a project, and none between projects', async () => {
    const { asked, clientOf } = await projectsHost();
    const client = clientOf({
      transports: ['ws'],
      routes: routesOf({ ...settings, params: (context) => ({ region: 'eu', projectId: String(context?.['project']) }) }),
    });
    const started = await Promise.all(
      ['one', 'one', 'two'].map(async (project) => {
        const context = { project };
        const { taskId } = await client.start({ taskType: 'approve' }, { context });
        return { taskId, context };
      }),
    );
    const results = await Promise.all(
      started.map(({ taskId, context }) =>
        answered(client.observe(taskId, { context }), (suspendId) => client.act(taskId, { suspendId, actionType: 'right' }, { context })),
      ),
    );
    expect(results.map((result) => (result as { params: { projectId: string } }).params.projectId)).toEqual(['one', 'one', 'two']);
    const sockets = asked.filter((line) => line.endsWith('/live')).sort();
    expect(sockets).toEqual(['GET /api/eu/projects/one/live', 'GET /api/eu/projects/two/live']);
  });

  test('is asked by the tabs of a browser through one socket', async () => {
    const { url, asked } = await projectsHost();
    const open = browser(url);
    const [first, second] = [open({ routes: routesOf(settings) }), open({ routes: routesOf(settings) })];
    const { taskId } = await first.client.start({ taskType: 'approve' });
    const results = await Promise.all([
      answered(first.client.observe(taskId), (suspendId) => first.client.act(taskId, { suspendId, actionType: 'left' })),
      answered(second.client.observe(taskId), () => Promise.resolve()),
    ]);
    expect(results).toEqual(Array(2).fill({ went: 'left', params: { region: 'eu', projectId: 'a b/7' }, bytes: 0 }));
    expect(asked.filter((line) => line.endsWith('/live'))).toEqual([`GET ${below}/live`]);
  });

  test('is sent the commands of an outbox', async () => {
    const { asked, clientOf } = await projectsHost();
    const outbox = createOutbox(clientOf({}), { store: memoryOutbox('ada') });
    onTestFinished(() => outbox.close());
    const started = await outbox.start({ taskType: 'wait' });
    const cancelled = await outbox.cancel({ clientRequestId: started.clientRequestId });
    expect([(await started.settled()).state, (await cancelled.settled()).state]).toEqual(['done', 'done']);
    expect(asked.map((line) => line.replace(/[0-9a-f]{32}/, ':taskId'))).toEqual([`POST ${below}/jobs/new`, `POST ${below}/stop/:taskId`]);
  });

  test('below another prefix needs no more than that', async () => {
    const app = new Koa();
    const bridge = createTaskBridge({
      store: memoryStore(),
      executor: inProcess({ done: async () => 7 }),
      auth: () => ({ subject: 'ada' }),
    });
    app.use(bridge.middleware({ prefix: '/backend/tasks-of-ours' }));
    const server = createServer(app.callback());
    server.on('upgrade', bridge.upgrade);
    await bridge.start();
    const listening = await onLoopback(server);
    onTestFinished(async () => {
      await bridge.close();
      await listening.close();
    });
    for (const transport of ['ws', 'sse', 'poll'] as const) {
      const client = createTaskBridgeClient({ baseUrl: listening.url, prefix: '/backend/tasks-of-ours', transports: [transport] });
      onTestFinished(() => client.close());
      const { taskId } = await client.start({ taskType: 'done' });
      const observation = client.observe(taskId);
      for await (const _ of observation);
      expect(observation.getSnapshot()).toMatchObject({ task: { result: 7 }, connection: { transport } });
    }
  });
});
