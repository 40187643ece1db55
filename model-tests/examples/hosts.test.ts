import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTaskBridgeClient, isFact } from 'taskbridge/client/node';
import type { TransportName } from 'taskbridge/client';
import { forkProgram, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { root, snippet } from '../readme/snippets.ts';

const LINES_MAX = 20;
const hosts = ['koa', 'express', 'fastify', 'hono', 'node', 'nest'];
const transports: readonly TransportName[] = ['ws', 'sse', 'poll'];

const source = (name: string) => readFile(join(root, 'examples/hosts', `${name}.ts`), 'utf8');
/** Lines with a word in them, imports among them. */
const linesOf = (text: string) => text.split('\n').filter((line) => /\w/.test(line)).length;

describe('the page of hosts', () => {
  it('shows what is run here', async () => {
    for (const name of ['app', 'bridge', ...hosts])
      expect(snippet(name, 'docs/hosts.md').replace(/^\/\/ .*\n/, '')).toBe(await source(name));
  });

  it.each(hosts)('has an app of %s, of few lines', async (name) => {
    expect(linesOf(await source(name)) + linesOf(await source('bridge'))).toBeLessThanOrEqual(LINES_MAX);
  });
});

describe.each(hosts)('an app of %s', (name) => {
  let folder: string;
  let host: RunningProcess;
  let url: string;

  beforeAll(async () => {
    // Inside the project, so that its packages are found.
    await mkdir(join(root, '.data'), { recursive: true });
    folder = await mkdtemp(join(root, '.data/host-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    await cp(join(root, 'examples/hosts'), folder, { recursive: true });
    for (const file of ['bridge', name])
      await writeFile(
        join(folder, `${file}.ts`),
        (await source(file)).replace('3000', String(port)).replaceAll('./data', join(folder, 'data')),
      );
    const isReady = (): Promise<void> => vi.waitFor(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), { interval: 100 });
    host = await startProcess(name, () => forkProgram(join(folder, `${name}.ts`)), isReady);
  });
  afterAll(async () => {
    await host.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  const clientOf = (transport: TransportName) => createTaskBridgeClient({ baseUrl: url, auth: () => 'ada', transports: [transport] });

  it.each(transports)('takes a file, is watched by %s, asks, is answered, and ends', async (transport) => {
    const client = clientOf(transport);
    try {
      const content = new Blob(['one\ntwo\nthree']);
      const { taskId } = await client.start({
        taskType: 'lines.count',
        input: {},
        attachments: [{ fileName: 'lines.txt', contentType: 'text/plain', content }],
      });
      const types: string[] = [];
      const used = new Set<string>();
      const observation = client.observe(taskId);
      observation.subscribe(({ connection }) => connection.transport !== null && used.add(connection.transport));
      for await (const fact of observation) {
        types.push(fact.type);
        if (isFact(fact, 'TASK_SUSPENDED')) await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: 'skip' });
      }
      expect(types).toEqual(['TASK_STARTED', 'TASK_PROGRESS', 'TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
      expect([...used]).toEqual([transport]);
      expect((await client.get(taskId)).result).toEqual({ lines: 3, blank: 'skip' });
    } finally {
      await client.close();
    }
  });

  it('takes JSON, and cancels what nobody waits for', async () => {
    const client = clientOf('sse');
    try {
      const { taskId } = await client.start({ taskType: 'lines.count', input: { why: 'ä' } });
      expect((await client.get(taskId)).taskId).toBe(taskId);
      await client.cancel(taskId, 'Enough.');
      for await (const _ of client.observe(taskId));
      expect(await client.get(taskId)).toMatchObject({ state: 'cancelled', cancellation: { reason: 'Enough.' } });
    } finally {
      await client.close();
    }
  });

  it('refuses who is nobody, in each way of coming in, and leaves the rest to the app', async () => {
    const stranger = { headers: { authorization: 'Basic nobody' } };
    const task = `${url}/api/v1/tasks/${'f'.repeat(32)}`;
    for (const path of [task, `${task}/events`, `${task}/events/stream`]) {
      const response = await fetch(path, stranger);
      expect([path, response.status, await response.json()]).toMatchObject([path, 401, { code: 'AUTHENTICATION_ERROR' }]);
    }
    const client = createTaskBridgeClient({ baseUrl: url, auth: () => 'not a name', transports: ['ws'] });
    const started = client.start({ taskType: 'lines.count', input: {} });
    await expect(started).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR' });
    await client.close();
    expect((await fetch(`${url}/api/v1/nothing`, { headers: { authorization: 'Bearer ada' } })).status).toBe(404);
    expect(await (await fetch(`${url}/`)).text()).toBe('The rest of the app.');
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  });
});
