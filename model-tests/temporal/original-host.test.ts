import { createTaskBridgeClient, isFact, type TaskBridgeClient } from 'taskbridge/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { freePort } from '../support/free-port.ts';
import { forkProgram, printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { patience } from '../support/patience.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { temporalServer, type TemporalServer } from './dev-server.ts';

const children: RunningProcess[] = [];
let redis: RedisServer;
let temporal: TemporalServer;
let uploads: { readonly path: string; remove(): Promise<void> };
let baseUrl: string;
let client: TaskBridgeClient;

/** Runs a file of the example until it says a word. */
async function run(file: string, word: string, env: Readonly<Record<string, string>>): Promise<void> {
  const options = { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] } as const;
  const start = () => forkProgram(`examples/original-host/${file}`, [], { ...options, stdio: [...options.stdio] });
  children.push(await startProcess(file, start, (child) => printed(child, new RegExp(word))));
}

beforeAll(async () => {
  let port: number;
  [redis, temporal, port, uploads] = await Promise.all([startRedis(), temporalServer(), freePort(), tempFolder('uploads')]);
  baseUrl = `http://127.0.0.1:${port}`;
  const env = {
    PORT: String(port),
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    TEMPORAL_ADDRESS: temporal.address,
    TB_UPLOADS_PATH: uploads.path,
  };
  await Promise.all([run('host.ts', 'Listening', env), run('worker.ts', 'Working', env)]);
  client = createTaskBridgeClient({ baseUrl, auth: () => 'ada' });
}, patience(120_000));

afterAll(async () => {
  await client?.close();
  await Promise.all(children.map((child) => child.kill()));
  await temporal?.close();
  await Promise.all([redis?.stop(), uploads?.remove()]);
});

/** What a task says, and its last payload; whoever reviews it answers so. */
async function said(taskId: string, answer?: string): Promise<readonly [types: readonly string[], last: unknown]> {
  const types: string[] = [];
  let last: unknown;
  for await (const fact of client.observe(taskId)) {
    types.push(fact.type.replace('TASK_', ''));
    last = fact.payload;
    if (answer !== undefined && isFact(fact, 'TASK_SUSPENDED'))
      await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: answer });
  }
  return [types, last];
}

describe('the original’s example host in Temporal', () => {
  it('is ready when Redis and Temporal are', async () => {
    const response = await fetch(`${baseUrl}/ready`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'ready', details: { store: { status: 'ready', name: 'redis' }, temporal: { status: 'ready' } } },
    ]);
  });

  it.each([
    [
      'approve',
      'COMPLETED',
      { result: { status: 'processed', human_decision: 'approve', final_note: 'The reviewer approved the document.' } },
    ],
    ['reject', 'FAILED', { code: 'DOCUMENT_REJECTED', message: 'The reviewer rejected the document.', retryable: false }],
  ])('goes on with a review by the signal of its answer: %s', async (answer, end, payload) => {
    const { taskId } = await client.start({ taskType: 'enterprise.document.review', input: { doc_id: 'DOC-123' } });
    const [types, last] = await said(taskId, answer);
    expect(types).toEqual(['STARTED', 'PROGRESS', 'PROGRESS', 'PROGRESS', 'SUSPENDED', 'ACTION_ACCEPTED', end]);
    expect(last).toEqual(payload);
  });

  it('looks at a picture in an activity, and fails a task that asks for it', async () => {
    const content = Buffer.from('89504e470d0a1a0a0000000d494844520000000200000003', 'hex');
    const attachments = [{ fileName: 'cat.png', contentType: 'image/png', content }];
    const image = await client.start({ taskType: 'demo.image.analyze', attachments });
    expect((await said(image.taskId))[1]).toMatchObject({ result: { summary: 'cat.png: png, 2 by 3 pixels' } });
    const failing = await client.start({ taskType: 'demo.fail' });
    expect((await said(failing.taskId))[1]).toMatchObject({ code: 'DEMO_FAILURE' });
  });
});
