import { connect, createServer } from 'node:http2';
import Koa from 'koa';
import { expect, onTestFinished, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge } from '../../server/index.ts';

/** One request over HTTP/2; gives its headers and what came of its body until it ended or `enough` was there. */
function ask(origin: string, headers: Record<string, string>, body?: string, enough?: string) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const session = connect(origin);
    session.on('error', reject);
    const stream = session.request(headers, { endStream: body === undefined });
    let [text, head] = ['', {} as Record<string, unknown>];
    const finish = () => {
      session.destroy();
      resolve({ status: Number(head[':status']), headers: head, text });
    };
    stream.on('response', (got) => (head = got));
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (enough !== undefined && text.includes(enough)) finish();
    });
    stream.on('end', finish).on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

test('every route answers over HTTP/2', async () => {
  const executor = inProcess({ work: async (task) => void (await task.message('hello')) });
  const bridge = createTaskBridge({ store: memoryStore(), executor, auth: () => ({ subject: 'ada' }) });
  const app = new Koa();
  const heard: unknown[] = [];
  app.on('error', (error) => heard.push(error));
  app.use(bridge.middleware());
  await bridge.start();
  const server = createServer(app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await bridge.close();
    server.close();
  });
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const created = await ask(
    origin,
    { ':method': 'POST', ':path': '/api/v1/tasks', 'content-type': 'application/json' },
    JSON.stringify({ clientRequestId: 'r', taskType: 'work' }),
  );
  expect(created.status).toBe(201);
  const { taskId } = JSON.parse(created.text) as { taskId: string };
  const at = (path: string, enough?: string) => ask(origin, { ':path': path }, undefined, enough);
  expect((await at(`/api/v1/tasks/${taskId}`)).status).toBe(200);
  expect((await at(`/api/v1/tasks/${taskId}/events?waitTimeoutMs=1000`)).status).toBe(200);
  expect((await at(`/api/v1/tasks/${taskId}/events/stream`)).text).toContain('TASK_COMPLETED');
  expect((await at('/api/v1/tasks/ws')).status).toBe(400);
  expect((await at('/health')).status).toBe(200);
  expect((await ask(origin, { ':method': 'POST', ':path': '/api/v1/tasks', 'content-type': 'application/json' }, '{')).status).toBe(400);
  expect(heard).toEqual([]);
});
