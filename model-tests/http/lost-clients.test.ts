import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import Koa from 'koa';
import { expect, onTestFinished, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type AuthContextResolver, type TaskBridgeOptions } from '../../server/index.ts';
import { onLoopback } from '../support/loopback.ts';

/** A bridge that is listened to, and what its host hears of errors. */
async function listen(
  auth: AuthContextResolver = () => ({ subject: 'ada' }),
  live: TaskBridgeOptions['live'] = {},
): Promise<{ readonly server: Server; readonly port: number; readonly heard: readonly unknown[] }> {
  const executor = inProcess({ wait: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)) });
  const bridge = createTaskBridge({ store: memoryStore(), executor, auth, live });
  const app = new Koa();
  const heard: unknown[] = [];
  app.on('error', (error) => heard.push(error));
  app.use(bridge.middleware());
  const server = createServer(app.callback());
  await bridge.start();
  const { port, close } = await onLoopback(server);
  onTestFinished(async () => {
    await bridge.close();
    await close();
  });
  return { server, port, heard };
}

test('a hundred streams that are cut as they begin are nothing that the host hears of', async () => {
  const { server, port, heard } = await listen();
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientRequestId: 'r', taskType: 'wait' }),
  });
  const { taskId } = (await response.json()) as { taskId: string };
  let [asked, over] = [0, 0];
  server.on('request', () => (asked += 1));
  for (let i = 0; i < 100; i += 1) {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET /api/v1/tasks/${taskId}/events/stream HTTP/1.1\r\nHost: x\r\n\r\n`, () => socket.resetAndDestroy());
    });
    socket.on('close', () => (over += 1));
  }
  await expect.poll(() => over).toBe(100);
  const open = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  await expect.poll(open).toBeLessThanOrEqual(1);
  expect(asked).toBeGreaterThan(0);
  expect(heard).toEqual([]);
});

test('nor is an upload whose client goes before anybody knows who it is', async () => {
  const { port, heard } = await listen(async ({ socket }) => {
    await once(socket, 'close');
    return { subject: 'ada' };
  });
  const head =
    'POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b';
  let over = 0;
  const socket = connect(port, '127.0.0.1', () => socket.end(head));
  socket.resume();
  socket.on('error', () => undefined).on('close', () => (over += 1));
  await expect.poll(() => over).toBe(1);
  expect(heard).toEqual([]);
});

test.each(['end', 'destroy', 'resetAndDestroy'] as const)('nor are uploads whose client goes in the middle (%s)', async (leave) => {
  const { server, port, heard } = await listen();
  let over = 0;
  const head = 'POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n';
  const part = '--b\r\nContent-Disposition: form-data; name="attachment"; filename="a.csv"\r\n\r\nid,day\r\n';
  for (let i = 0; i < 20; i += 1) {
    const socket = connect(port, '127.0.0.1', () => socket.write(head + part));
    server.once('request', () => socket[leave]());
    socket.resume();
    socket.on('error', () => undefined).on('close', () => (over += 1));
    await expect.poll(() => over).toBe(i + 1);
  }
  expect(heard).toEqual([]);
});

test.each<[string, (taskId: string, after: string) => string]>([
  ['poll', (taskId, after) => `/api/v1/tasks/${taskId}/events?waitTimeoutMs=25000&afterEventId=${after}`],
  ['stream', (taskId) => `/api/v1/tasks/${taskId}/events/stream`],
  ['stream of many tasks', (taskId) => `/api/v1/tasks/events/stream?tasks=${taskId}@`],
])('a %s whose client left while it was found out who it is holds no place', async (_way, pathOf) => {
  let [asked, left] = [0, 0];
  const auth: AuthContextResolver = async ({ socket, headers }) => {
    if (headers['x-leaves']) {
      asked += 1;
      await once(socket, 'close');
      left += 1;
    }
    return { subject: 'ada' };
  };
  const { port } = await listen(auth, { viewersPerOwnerMax: 2 });
  const created = await fetch(`http://127.0.0.1:${port}/api/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientRequestId: 'r', taskType: 'wait' }),
  });
  const { taskId } = (await created.json()) as { taskId: string };
  const log = `/api/v1/tasks/${taskId}/events`;
  const started = await fetch(`http://127.0.0.1:${port}${log}?waitTimeoutMs=5000`);
  const { nextAfterEventId } = (await started.json()) as { nextAfterEventId: string };
  const path = pathOf(taskId, nextAfterEventId);
  for (let i = 0; i < 2; i += 1) {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\n\r\n`));
    await expect.poll(() => asked).toBe(i + 1);
    socket.destroy();
    await expect.poll(() => left).toBe(i + 1);
  }
  // What they ask of the store is answered before what comes after them.
  for (let i = 0; i < 3; i += 1) await fetch(`http://127.0.0.1:${port}/api/v1/tasks/${taskId}`);
  const answer = await fetch(`http://127.0.0.1:${port}${log}?waitTimeoutMs=100&afterEventId=${nextAfterEventId}`);
  expect(answer.status).toBe(200);
});
