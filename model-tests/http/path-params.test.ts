import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client as TemporalClient } from '@temporalio/client';
import Koa from 'koa';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess, type HandlerEntry } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import { temporalExecutor } from '../../adapters/temporal/index.ts';
import type { CreateTaskResponse, TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { createTaskBridge, type AuthContext, type TaskBridgeOptions, type Work } from '../../server/index.ts';
import { onLoopback } from '../support/loopback.ts';

const json = { 'content-type': 'application/json' };

/** A host whose tasks belong to projects; everybody is Ada. */
async function projects(handlers: Readonly<Record<string, HandlerEntry>>, options: Partial<TaskBridgeOptions> = {}) {
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess(handlers),
    auth: () => ({ subject: 'ada' }),
    logger: { warn: () => undefined, error: () => undefined },
    tasks: { reconcileMs: 20 },
    ...options,
  });
  const app = new Koa();
  app.silent = true;
  app.use(bridge.middleware({ prefix: '/projects/:projectId' }));
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res));
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const listening = await onLoopback(server);
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= bridge.close().then(() => listening.close()));
  onTestFinished(close);
  const at = (project: string, path: string) => `${listening.url}/projects/${project}/tasks${path}`;

  async function create(project: string, body: object): Promise<string> {
    const response = await fetch(at(project, ''), {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ clientRequestId: 'r', ...body }),
    });
    return ((await response.json()) as CreateTaskResponse).taskId;
  }
  const snapshot = async (project: string, taskId: string) =>
    (await (await fetch(at(project, `/${taskId}`))).json()) as TaskSnapshotResponse;
  const waitFor = (project: string, taskId: string, state: string) =>
    vi.waitUntil(async () => ((await snapshot(project, taskId)).state === state ? snapshot(project, taskId) : undefined), 20_000);
  return { at, create, snapshot, waitFor, close };
}

/** Subscribes below a project, and gives the code of the close. */
function closeCodeOf(url: string, taskId: string): Promise<number> {
  const ws = new WebSocket(url.replace('http', 'ws'));
  ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId })));
  return new Promise((resolve, reject) => {
    ws.on('error', reject);
    ws.on('close', resolve);
  });
}

describe('policies see the parameters of the path', () => {
  it('of a read over HTTP, a stream and a socket, whoever owns the task', async () => {
    // A task is seen below the project that it was created in.
    const host = await projects(
      { done: async () => undefined },
      { ownership: { allowAccess: ({ params }, about) => about.params?.['projectId'] === params?.['projectId'] } },
    );
    const taskId = await host.create('a%2Fb', { taskType: 'done' });
    await host.waitFor('a%2Fb', taskId, 'completed');
    const statuses = (project: string) =>
      Promise.all(
        ['', '/events', '/events/stream'].map(async (path) => {
          const response = await fetch(host.at(project, `/${taskId}${path}`));
          await response.text();
          return response.status;
        }),
      );
    expect(await statuses('a%2Fb')).toEqual([200, 200, 200]);
    expect(await statuses('b')).toEqual([404, 404, 404]);
    // 1000: shown to its end; 1008: no such task.
    expect(await closeCodeOf(host.at('a%2Fb', '/ws'), taskId)).toBe(1000);
    expect(await closeCodeOf(host.at('b', '/ws'), taskId)).toBe(1008);
  });

  it('of a create, an upload, an answer and a cancel', async () => {
    const seen: string[] = [];
    const note = (what: string, { params }: AuthContext) => void seen.push(`${what} ${params?.['projectId']}`);
    const host = await projects(
      { ask: async (task) => ({ ...(await task.suspend('q', { reasonCode: 'Q', allowedActions: ['yes'] })), at: null }) },
      {
        attachments: memoryAttachments(),
        ownership: {
          refuseCreate: (who) => note('create', who) as undefined,
          allowAccess: (who) => (note('access', who), true),
        },
        uploads: { refuseUpload: (who) => note('upload', who) as undefined },
        actions: { refuseAction: (who) => note('action', who) as undefined },
      },
    );
    const form = new FormData();
    form.set('clientRequestId', 'r');
    form.set('taskType', 'ask');
    form.set('attachment', new Blob(['x'], { type: 'text/plain' }), 'x.txt');
    const created = await fetch(host.at('7', ''), { method: 'POST', body: form });
    const { taskId } = (await created.json()) as CreateTaskResponse;
    const { suspensions } = await host.waitFor('8', taskId, 'suspended');
    seen.length = seen.indexOf('access 8');
    expect(seen).toEqual(['upload 7', 'create 7']);
    const action = { clientActionId: 'a', suspendId: suspensions[0]?.suspendId, actionType: 'yes' };
    const answered = await fetch(host.at('9', `/${taskId}/actions`), { method: 'POST', headers: json, body: JSON.stringify(action) });
    await fetch(host.at('10', `/${taskId}/cancel`), { method: 'POST' });
    expect([answered.status, seen.slice(2)]).toEqual([202, ['access 9', 'action 9', 'access 10']]);
  });
});

describe('work has the parameters of the create', () => {
  it('whoever else asks for the task by another path', async () => {
    const host = await projects({ where: async ({ params }) => ({ ...params, names: Object.getPrototypeOf(params) === null }) });
    const taskId = await host.create('caf%C3%A9', { taskType: 'where' });
    // The same request id below another project is a conflict, which has no task.
    expect(await host.create('other', { taskType: 'where' })).toBeUndefined();
    expect((await host.waitFor('other', taskId, 'completed')).result).toEqual({ projectId: 'café', names: true });
  });

  it('again, when it is run again after a restart on LMDB', async () => {
    const path = await mkdtemp(join(tmpdir(), 'taskbridge-params-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    let runs = 0;
    const where: HandlerEntry = {
      repeatable: true,
      run: (task) => {
        runs += 1;
        if (task.attempt > 1) return Promise.resolve({ attempt: task.attempt, ...task.params });
        return new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error)));
      },
    };
    const first = await projects({ where }, { store: lmdbStore({ path }) });
    const taskId = await first.create('7', { taskType: 'where' });
    await first.waitFor('7', taskId, 'running');
    await first.close();
    const second = await projects({ where }, { store: lmdbStore({ path }) });
    expect((await second.waitFor('7', taskId, 'completed')).result).toEqual({ attempt: 2, projectId: '7' });
    expect(runs).toBe(2);
  });

  it('as a workflow of Temporal, whose input has none where the path has none', async () => {
    const inputs: unknown[] = [];
    const client = {
      withDeadline: (_: number, call: () => unknown) => call(),
      workflow: { start: (_: string, { args }: { args: unknown[] }) => Promise.resolve(inputs.push(...args)) },
    };
    // As much of Temporal as a start asks for.
    const executor = temporalExecutor({ client: client as unknown as TemporalClient, taskQueue: 'q', workflow: 'w' });
    const work = { taskId: 't', attempt: 1, taskType: 'w', owner: 'ada', clientRequestId: 'r', input: {}, metadata: {}, attachments: [] };
    for (const params of [{ projectId: '7' }, {}]) await executor.start({ ...work, params } as unknown as Work);
    expect(inputs).toEqual([{ ...work, params: { projectId: '7' } }, work]);
  });
});
