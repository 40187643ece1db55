import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file, form, FORM_TYPE, text } from '../http/form.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { forkProgram, printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { patience } from '../support/patience.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { publishedClient, type Answer, type PublishedClient, type PublishedEvent } from './published-client.ts';

const execute = promisify(execFile);
const PREFIX = 'taskbridge:examples';
/** A picture of two by three pixels, as far as its head says so. */
const png = Buffer.from('89504e470d0a1a0a0000000d494844520000000200000003', 'hex');

let redis: RedisServer;
let uploads: { readonly path: string; remove(): Promise<void> };
let host: RunningProcess<RegExpExecArray>;
let baseUrl = '';
let ada: PublishedClient;

beforeAll(async () => {
  [redis, uploads] = await Promise.all([startRedis(), tempFolder('uploads')]);
  const own = { PORT: '0', REDIS_URL: `redis://127.0.0.1:${redis.port}`, TB_EXECUTOR_MODE: 'fake', TB_UPLOADS_PATH: uploads.path };
  const env = { PATH: process.env['PATH'], ...own };
  const start = () => forkProgram('examples/original-host/host.ts', [], { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  host = await startProcess('The example host', start, (child) => printed(child, /port: (\d+)/));
  baseUrl = `http://127.0.0.1:${host.said[1]}`;
  ada = publishedClient(baseUrl);
}, patience(60_000));
afterAll(async () => {
  await host?.kill();
  await Promise.all([redis?.stop(), uploads?.remove()]);
});

let requests = 0;
const create = async (taskType: string, input: object = {}): Promise<string> => {
  requests += 1;
  const { status, body } = await ada.post('', { clientRequestId: `r${requests}`, taskType, input, metadata: {} });
  expect([status, body['deduplicated']]).toEqual([201, false]);
  return String(body['taskId']);
};
const says = (events: readonly PublishedEvent[]) =>
  events.map(({ type, payload }) => (type === 'TASK_PROGRESS' ? Number(payload['progress']) : type.replace('TASK_', '')));

/** The log, page by page, to its end or to a type. */
async function polled(taskId: string, until = /_(COMPLETED|FAILED|CANCELLED)$/, by = ada): Promise<PublishedEvent[]> {
  const events: PublishedEvent[] = [];
  while (!events.some(({ type }) => until.test(type))) {
    const after = events.at(-1)?.eventId;
    const { body } = await by.poll(taskId, {
      waitTimeoutMs: '25000',
      maxEvents: '2',
      ...(after !== undefined && { afterEventId: after }),
    });
    events.push(...(body['events'] as PublishedEvent[]));
  }
  return events;
}

/** The end of a log over each transport, all at once. */
async function watched(taskId: string, onEvent?: (event: PublishedEvent) => void): Promise<PublishedEvent[]> {
  const [live, streamed, paged] = await Promise.all([
    ada.webSocket(taskId, onEvent && { onEvent }),
    ada.eventStream(taskId),
    polled(taskId),
  ]);
  expect([live.ending, streamed.ending]).toEqual([1000, 'terminal']);
  expect(streamed.events).toEqual(live.events);
  expect(paged).toEqual(live.events);
  return [...live.events];
}

/** A reviewer, who answers as soon as there is a question. */
function reviewer(taskId: string, action: object) {
  const answers: Promise<Answer>[] = [];
  const onEvent = ({ type, payload }: PublishedEvent): void => {
    if (type !== 'TASK_SUSPENDED') return;
    expect(payload).toMatchObject({
      kind: 'USER_ACTION_REQUIRED',
      allowedActions: ['approve', 'reject'],
      interaction: { doc_id: 'DOC-123' },
    });
    const { suspendId } = payload;
    answers.push(ada.post(`/${taskId}/actions`, { suspendId, clientActionId: 'a1', payload: {}, metadata: {}, ...action }));
  };
  return { onEvent, answers: () => Promise.all(answers) };
}

describe('the README of the example host', () => {
  const readme = readFileSync(new URL('../../examples/original-host/README.md', import.meta.url), 'utf8');
  const curl = async (sign: string, values: Readonly<Record<string, string>> = {}): Promise<string> => {
    const found = [...readme.matchAll(/^ {4}(curl .*)$|`(curl [^`]*)`/gm)].flatMap(([, line, inline]) => line ?? inline ?? []);
    const command = found.find((one) => one.includes(sign)) ?? expect.fail(`The README has no curl with ${sign}.`);
    const filled = Object.entries(values).reduce((said, [name, value]) => said.replaceAll(`<${name}>`, value), command);
    const { stdout } = await execute('sh', ['-c', filled.replaceAll('localhost:8000', new URL(baseUrl).host)], { cwd: uploads.path });
    return stdout;
  };

  test('has commands that hand in a document, watch it and answer for the reviewer', async () => {
    const { taskId } = JSON.parse(await curl('DOC-123')) as { taskId: string };
    const watching = curl('/events/stream', { taskId });
    const asked = (await polled(taskId, /_SUSPENDED$/, publishedClient(baseUrl, 'demo-user'))).at(-1);
    const suspendId = String(asked?.payload['suspendId']);
    expect(JSON.parse(await curl('/actions', { taskId, suspendId }))).toMatchObject({ status: 'ACCEPTED' });
    expect(await watching).toContain('"type":"TASK_COMPLETED"');
  });

  test('has a command that hands in an image', async () => {
    await writeFile(`${uploads.path}/cat.png`, png);
    expect(JSON.parse(await curl('-F attachment'))).toMatchObject({ deduplicated: false });
  });
});

describe('a published client at the example host', () => {
  test('is told that it is ready, and by what', async () => {
    const response = await fetch(`${baseUrl}/ready`);
    expect([response.status, await response.json()]).toMatchObject([200, { status: 'ready', details: { store: { name: 'redis' } } }]);
  });

  test('sees demo.success to its end over each transport', async () => {
    const taskId = await create('demo.success', { word: 'Übung' });
    const events = await watched(taskId);
    expect(says(events)).toEqual(['STARTED', 20, 60, 90, 'COMPLETED']);
    expect(events.at(-1)?.payload).toEqual({ result: { kind: 'success', echo: { word: 'Übung' } } });
  });

  test('sees demo.fail fail over each transport', async () => {
    const events = await watched(await create('demo.fail'));
    expect(says(events)).toEqual(['STARTED', 25, 60, 'FAILED']);
    expect(events.at(-1)?.payload).toMatchObject({ code: 'DEMO_FAILURE', retryable: false });
  });

  test('has its picture looked at, byte for byte, and gets the same task for the same upload', async () => {
    const upload = async (bytes: Uint8Array) => {
      const parts = [text('clientRequestId', 'image-1'), text('taskType', 'demo.image.analyze'), text('input', '{"unit":"µm"}')];
      const picture = file(bytes, 'folder/cat.png', { name: 'attachments', contentType: 'image/png' });
      const response = await fetch(`${baseUrl}/api/v1/tasks`, {
        method: 'POST',
        headers: { authorization: 'Bearer ada', 'content-type': FORM_TYPE },
        body: Uint8Array.from(form([...parts, picture])),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const { status, body } = await upload(png);
    expect(status).toBe(201);
    const taskId = String(body['taskId']);
    expect(await upload(png)).toMatchObject({ status: 200, body: { taskId, deduplicated: true } });
    expect(await upload(Buffer.from('another picture'))).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
    const events = await watched(taskId);
    expect(says(events)).toEqual(['STARTED', 15, 45, 80, 'COMPLETED']);
    expect(events.at(-1)?.payload['result']).toMatchObject({
      kind: 'image_analysis',
      summary: 'cat.png: png, 2 by 3 pixels',
      attachment: { filename: 'cat.png', content_type: 'image/png', size_bytes: png.length },
      input_echo: { unit: 'µm' },
    });
  });

  test('approves a review, which goes on; the same answer again is a repeat, another one is late', async () => {
    const taskId = await create('enterprise.document.review', { doc_id: 'DOC-123' });
    const { onEvent, answers } = reviewer(taskId, { actionType: 'approve', payload: { comment: 'fine' } });
    const events = await watched(taskId, onEvent);
    expect(await answers()).toMatchObject([{ status: 202, body: { status: 'ACCEPTED' } }]);
    expect(says(events)).toEqual(['STARTED', 20, 60, 90, 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
    expect(events.at(-1)?.payload['result']).toEqual({
      status: 'processed',
      human_decision: 'approve',
      final_note: 'The reviewer approved the document: fine',
    });
    const suspendId = events.find(({ type }) => type === 'TASK_SUSPENDED')?.payload['suspendId'];
    const again = { suspendId, clientActionId: 'a1', actionType: 'approve', payload: { comment: 'fine' }, metadata: {} };
    expect(await ada.post(`/${taskId}/actions`, again)).toMatchObject({ status: 200, body: { status: 'DEDUPLICATED' } });
    expect(await ada.post(`/${taskId}/actions`, { ...again, clientActionId: 'a2', actionType: 'reject' })).toMatchObject({
      status: 202,
      body: { status: 'REJECTED_ALREADY_RESOLVED' },
    });
  });

  test('rejects a review, which fails', async () => {
    const taskId = await create('enterprise.document.review', { doc_id: 'DOC-123' });
    const { onEvent, answers } = reviewer(taskId, { actionType: 'reject' });
    const events = await watched(taskId, onEvent);
    expect(await answers()).toMatchObject([{ status: 202, body: { status: 'ACCEPTED' } }]);
    expect(events.at(-1)).toMatchObject({ type: 'TASK_FAILED', payload: { code: 'DOCUMENT_REJECTED', retryable: false } });
  });

  test('cancels a review that nobody answers, and one that is finished not', async () => {
    const taskId = await create('enterprise.document.review', { doc_id: 'DOC-123' });
    const cancel = () => ada.post(`/${taskId}/cancel`, { reason: 'withdrawn' });
    let cancelled: Promise<unknown> | undefined;
    const events = await watched(taskId, ({ type }) => {
      if (type === 'TASK_SUSPENDED') cancelled = cancel();
    });
    expect(await cancelled).toEqual({ status: 202, body: { taskId, status: 'CANCELLATION_REQUESTED' } });
    expect(events.at(-1)).toMatchObject({ type: 'TASK_CANCELLED', payload: { reason: 'withdrawn' } });
    expect(await cancel()).toEqual({ status: 202, body: { taskId, status: 'ALREADY_TERMINAL' } });
  });

  test('is answered the same task for the same create, and 409 for another one under its id', async () => {
    const body = { clientRequestId: 'again', taskType: 'demo.success', input: { n: 1 }, metadata: {} };
    const first = await ada.post('', body);
    expect(await ada.post('', { ...body, metadata: { other: true } })).toMatchObject({
      status: 200,
      body: { taskId: first.body['taskId'], deduplicated: true },
    });
    expect(await ada.post('', { ...body, input: { n: 2 } })).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
    expect((await publishedClient(baseUrl, 'eve').post('', body)).body['taskId']).not.toBe(first.body['taskId']);
  });

  test('without a token is demo-user, whose tasks nobody else sees', async () => {
    const response = await fetch(`${baseUrl}/api/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientRequestId: 'r', taskType: 'demo.success' }),
    });
    const { taskId } = (await response.json()) as { taskId: string };
    expect(response.status).toBe(201);
    expect((await publishedClient(baseUrl, 'demo-user').poll(taskId)).status).toBe(200);
    expect((await ada.poll(taskId)).status).toBe(404);
  });

  test('leaves nothing in Redis outside the prefix', async () => {
    const store = new Redis({ port: redis.port, host: '127.0.0.1' });
    const keys = await store.keys('*');
    store.disconnect();
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith(`${PREFIX}:{`))).toEqual([]);
  });

  test('goes on with a review on a host that was started again, which asks only once', async () => {
    const taskId = await create('enterprise.document.review', { doc_id: 'DOC-123' });
    await polled(taskId, /_SUSPENDED$/);
    await host.kill('SIGTERM');
    await host.restart();
    baseUrl = `http://127.0.0.1:${host.said[1]}`;
    ada = publishedClient(baseUrl);
    const { onEvent, answers } = reviewer(taskId, { actionType: 'approve' });
    const events = await watched(taskId, onEvent);
    expect(await answers()).toMatchObject([{ status: 202, body: { status: 'ACCEPTED' } }]);
    expect(events.filter(({ type }) => type === 'TASK_SUSPENDED')).toHaveLength(1);
    expect(events.at(-1)?.type).toBe('TASK_COMPLETED');
  });
});
