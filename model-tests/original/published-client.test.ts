import { createServer } from 'node:http';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file, form, FORM_TYPE } from '../http/form.ts';
import { onLoopback } from '../support/loopback.ts';
import { startOriginal } from './original-host.ts';
import { publishedClient, type Answer, type PublishedClient, type PublishedEvent } from './published-client.ts';

interface Running {
  readonly baseUrl: string;
  stop(): Promise<void>;
}

/** Our server with the task types that these tests start, and idle frames that come soon. */
async function startOurs(): Promise<Running> {
  const bridge = createTaskBridge({
    store: memoryStore(),
    attachments: memoryAttachments(),
    executor: inProcess({
      succeed: async (task) => {
        await task.progress(25, { stage: 'reading', message: 'a quarter' });
        await task.message('Nothing unusual so far.');
        await task.progress(100);
        return { input: task.input, metadata: task.metadata };
      },
      ask: async (task) => {
        const first = await task.suspend('first', { reasonCode: 'FIRST', allowedActions: ['left', 'right'] });
        const second = await task.suspend('second', { reasonCode: 'SECOND', allowedActions: ['left', 'right'] });
        return { went: [first.actionType, second.actionType] };
      },
      'until.cancelled': (task) =>
        new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error))),
      digest: async (task) => ({ files: task.attachments.map(({ fileName, bytes }) => ({ name: fileName, size: bytes })) }),
    }),
    auth: ({ headers }) => {
      const token = headers.authorization?.replace('Bearer ', '');
      return token === undefined || token === 'stale' ? undefined : { subject: token };
    },
    logger: { warn: () => undefined, error: () => undefined },
    live: { heartbeatMs: 100, sseHeartbeatMs: 100 },
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const { url, close } = await onLoopback(server);
  return {
    baseUrl: url,
    async stop() {
      await bridge.close();
      await close();
    },
  };
}

const UNKNOWN = '0123456789abcdef0123456789abcdef';
let requests = 0;

describe.each([
  { name: 'our server', run: startOurs, isOurs: true },
  { name: 'the original’s server', run: () => startOriginal(100), isOurs: false },
])('a published client at $name', ({ run, isOurs }) => {
  let server: Running;
  let client: PublishedClient;
  beforeAll(async () => {
    server = await run();
    client = publishedClient(server.baseUrl);
  });
  afterAll(() => server?.stop());

  /** Creates a task as they do. */
  const create = async (taskType: string): Promise<string> => {
    requests += 1;
    const { status, body } = await client.post('', { clientRequestId: `r${requests}`, taskType, input: { x: 1 }, metadata: {} });
    expect([status, Object.keys(body).sort()]).toEqual([201, ['clientRequestId', 'deduplicated', 'status', 'taskId']]);
    return body['taskId'] as string;
  };
  const act = (taskId: string, suspendId: unknown, actionType: string, clientActionId: string): Promise<Answer> =>
    client.post(`/${taskId}/actions`, { clientActionId, suspendId, actionType, payload: {}, metadata: {} });
  const types = (events: readonly PublishedEvent[]) => events.map(({ type }) => type);
  const ids = (events: readonly PublishedEvent[]) => events.map(({ eventId }) => eventId);
  /** The whole log, page by page, by the last id of each. */
  const pages = async (taskId: string): Promise<PublishedEvent[]> => {
    const events: PublishedEvent[] = [];
    while (!events.some(({ type }) => type === 'TASK_COMPLETED')) {
      const cursor = events.at(-1)?.eventId;
      const query = { ...(cursor !== undefined && { afterEventId: cursor }), waitTimeoutMs: '25000', maxEvents: '2' };
      const { status, body } = await client.poll(taskId, query);
      expect([status, Object.keys(body)]).toEqual([200, expect.arrayContaining(['taskId', 'events', 'nextAfterEventId', 'hasMore'])]);
      events.push(...(body['events'] as PublishedEvent[]));
      expect(body['nextAfterEventId']).toBe(events.at(-1)?.eventId);
    }
    return events;
  };

  test('reads the same log over each transport', async () => {
    const taskId = await create('succeed');
    const live = await client.webSocket(taskId);
    expect(live).toMatchObject({
      confirmation: { type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId: null, live: true },
      ending: 1000,
    });
    expect(types(live.events)).toEqual(expect.arrayContaining(['TASK_STARTED', 'TASK_PROGRESS', 'TASK_MESSAGE', 'TASK_COMPLETED']));
    expect((await client.eventStream(taskId)).events).toEqual(live.events);
    expect(await pages(taskId)).toEqual(live.events);
  });

  test('resumes strictly after its cursor over each transport, and hears the cursor as it was sent', async () => {
    const taskId = await create('succeed');
    const all = (await client.webSocket(taskId)).events;
    const lastEventId = all[1]?.eventId ?? '';
    const resumed = await client.webSocket(taskId, { lastEventId });
    expect(ids(resumed.events)).toEqual(ids(all).slice(2));
    expect(resumed.confirmation).toMatchObject({ replayStartedAfterEventId: lastEventId });
    expect(ids((await client.eventStream(taskId, { lastEventId })).events)).toEqual(ids(all).slice(2));
    const { body } = await client.poll(taskId, { afterEventId: lastEventId, waitTimeoutMs: '25000', maxEvents: '100' });
    expect(ids(body['events'] as PublishedEvent[])).toEqual(ids(all).slice(2));
    for (const start of ['', '0-0']) expect(ids((await client.webSocket(taskId, { lastEventId: start })).events)).toEqual(ids(all));
  });

  test('takes idle frames for life and for nothing else: on a stream all five fields, and no id', async () => {
    const taskId = await create('ask');
    for (const streamed of [await client.webSocket(taskId, { heartbeats: 2 }), await client.eventStream(taskId, { heartbeats: 3 })]) {
      expect(streamed).toMatchObject({ ending: 'left' });
      expect(types(streamed.events)).toEqual(['TASK_STARTED', 'TASK_SUSPENDED']);
    }
  });

  test('answers questions: accepted, deduplicated, too late, conflicting, not allowed', async () => {
    const taskId = await create('ask');
    const answers: Promise<void>[] = [];
    const onEvent = ({ type, payload }: PublishedEvent): void => {
      if (type !== 'TASK_SUSPENDED') return;
      const { suspendId } = payload;
      answers.push(
        (async () => {
          const id = String(suspendId);
          expect((await act(taskId, suspendId, 'up', `${id}-0`)).status).toBe(409);
          const accepted = await act(taskId, suspendId, 'left', `${id}-1`);
          expect(accepted).toEqual({ status: 202, body: { taskId, suspendId, clientActionId: `${id}-1`, status: 'ACCEPTED' } });
          expect(await act(taskId, suspendId, 'left', `${id}-1`)).toMatchObject({ status: 200, body: { status: 'DEDUPLICATED' } });
          expect(await act(taskId, suspendId, 'right', `${id}-1`)).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
          const late = await act(taskId, suspendId, 'right', `${id}-2`);
          expect(late).toMatchObject({ status: 202, body: { status: 'REJECTED_ALREADY_RESOLVED' } });
        })(),
      );
    };
    const { events, ending } = await client.webSocket(taskId, { onEvent });
    await Promise.all(answers);
    expect(ending).toBe(1000);
    expect(types(events).filter((type) => type !== 'TASK_STARTED')).toEqual([
      'TASK_SUSPENDED',
      'TASK_ACTION_ACCEPTED',
      'TASK_SUSPENDED',
      'TASK_ACTION_ACCEPTED',
      'TASK_COMPLETED',
    ]);
    const accepted = events.find(({ type }) => type === 'TASK_ACTION_ACCEPTED');
    expect(Object.keys(accepted?.payload ?? {})).toEqual(
      expect.arrayContaining(['suspendId', 'clientActionId', 'actionType', 'acceptedAt']),
    );
  });

  test('that sends an answer with other metadata has sent another one', async () => {
    const taskId = await create('ask');
    const statuses: unknown[] = [];
    const answers: Promise<void>[] = [];
    const answerTwice = async (suspendId: unknown): Promise<void> => {
      for (const metadata of [{ from: 'phone' }, { from: 'phone' }, { from: 'desk' }, {}]) {
        const action = { clientActionId: String(suspendId), suspendId, actionType: 'left', payload: {}, metadata };
        const { status, body } = await client.post(`/${taskId}/actions`, action);
        statuses.push([status, body['status'] ?? body['code']]);
      }
    };
    await client.eventStream(taskId, {
      heartbeats: 2,
      onEvent: ({ type, payload }) => {
        if (type === 'TASK_SUSPENDED' && answers.length === 0) answers.push(answerTwice(payload['suspendId']));
      },
    });
    await Promise.all(answers);
    expect(statuses).toEqual([
      [202, 'ACCEPTED'],
      [200, 'DEDUPLICATED'],
      [409, 'IDEMPOTENCY_CONFLICT'],
      [409, 'IDEMPOTENCY_CONFLICT'],
    ]);
  });

  test.each([undefined, { reason: null }, { reason: 'no longer needed' }])('cancels with the body %j', async (body) => {
    const taskId = await create('until.cancelled');
    let cancelled: Promise<Answer> | undefined;
    const { events, ending } = await client.eventStream(taskId, {
      onEvent: ({ type }) => {
        if (type === 'TASK_STARTED') cancelled = client.post(`/${taskId}/cancel`, body);
      },
    });
    expect(await cancelled).toEqual({ status: 202, body: { taskId, status: 'CANCELLATION_REQUESTED' } });
    expect(ending).toBe('terminal');
    const reasons = isOurs ? [body?.reason ?? 'Cancelled on request'] : ['asked for'];
    expect(events.at(-1)).toMatchObject({ type: 'TASK_CANCELLED', payload: { reason: reasons[0] } });
    const again = await client.post(`/${taskId}/cancel`, body);
    expect(again).toEqual({ status: 202, body: { taskId, status: 'ALREADY_TERMINAL' } });
  });

  test('starts with attachments, whose text fields have a type of their own', async () => {
    requests += 1;
    const text = (name: string, body: string) => ({ name, contentType: 'text/plain; charset=utf-8', body });
    const response = await fetch(`${server.baseUrl}/api/v1/tasks`, {
      method: 'POST',
      headers: { authorization: 'Bearer ada', 'content-type': FORM_TYPE },
      body: Uint8Array.from(
        form([
          text('clientRequestId', `r${requests}`),
          text('taskType', 'digest'),
          text('input', '{"unit":"µm"}'),
          file('a;b', 'folder/table.csv', { name: 'attachments', contentType: 'text/csv' }),
          file('noise', 'noise.bin', { name: 'attachments', contentType: 'application/octet-stream' }),
        ]),
      ),
    });
    const { taskId } = (await response.json()) as { taskId: string };
    expect(response.status).toBe(201);
    const { events } = await client.webSocket(taskId);
    const result = events.at(-1)?.payload['result'] as { files: readonly { name: string; size: number }[] };
    expect(result.files.map(({ name, size }) => [name, size])).toEqual([
      ['table.csv', 3],
      ['noise.bin', 5],
    ]);
  });

  test('is refused an unknown task: 1008 without a confirmation, a stream that says nothing, 404 for the rest', async () => {
    expect(await client.webSocket(UNKNOWN)).toMatchObject({ events: [], confirmation: undefined, ending: 1008 });
    expect(await client.eventStream(UNKNOWN)).toMatchObject({ events: [], heartbeats: 0, ending: isOurs ? 404 : 'torn' });
    const notFound = { status: 404, body: { code: 'TASK_NOT_FOUND', details: {} } };
    expect(await client.poll(UNKNOWN, { waitTimeoutMs: '25000' })).toMatchObject(notFound);
    expect(await client.post(`/${UNKNOWN}/cancel`)).toMatchObject(notFound);
    expect(await act(UNKNOWN, 'none', 'left', 'a1')).toMatchObject(notFound);
  });

  test('meets a task of somebody else as one that is unknown', async () => {
    const taskId = await create('succeed');
    const eve = publishedClient(server.baseUrl, 'eve');
    expect(await eve.webSocket(taskId)).toMatchObject({ confirmation: undefined, ending: 1008 });
    expect(await eve.poll(taskId)).toMatchObject({ status: 404, body: { code: 'TASK_NOT_FOUND' } });
  });

  test.each(['no json', '[]', '{}', '{"action":"unsubscribe","taskId":"a"}', '{"action":"subscribe","taskId":"a","more":1}'])(
    'is closed with 1008 for the first frame %s',
    async (firstFrame) => {
      expect(await client.webSocket(UNKNOWN, { firstFrame })).toMatchObject({ confirmation: undefined, ending: 1008 });
    },
  );

  test('is told of bad credentials', async () => {
    const taskId = await create('succeed');
    expect(await publishedClient(server.baseUrl, 'stale').poll(taskId)).toMatchObject({
      status: 401,
      body: { code: 'AUTHENTICATION_ERROR' },
    });
    expect((await client.eventStream(taskId, { token: 'stale' })).ending).toBe(401);
    // Better here: published clients refresh after a 401 and take 1008 for the end.
    if (isOurs) await expect(client.webSocket(taskId, { token: 'stale' })).rejects.toThrow('401');
    else expect((await client.webSocket(taskId, { token: 'stale' })).ending).toBe(1008);
  });

  test('behind the end of a finished task is told so by us, and hears the original’s heartbeats for ever', async () => {
    const taskId = await create('succeed');
    const lastEventId = (await client.webSocket(taskId)).events.at(-1)?.eventId ?? '';
    const options = { lastEventId, heartbeats: 3 };
    expect(await client.webSocket(taskId, options)).toMatchObject({ events: [], ending: isOurs ? 1000 : 'left' });
    expect(await client.eventStream(taskId, options)).toMatchObject({ events: [], ending: isOurs ? 204 : 'left' });
  });

  test('with a cursor that cannot be one is refused by us, and meets a fault of the original', async () => {
    const taskId = await create('succeed');
    const lastEventId = 'no-cursor';
    expect((await client.webSocket(taskId, { lastEventId })).ending).toBe(isOurs ? 1008 : 1006);
    expect((await client.eventStream(taskId, { lastEventId })).ending).toBe(isOurs ? 422 : 'torn');
    const { status } = await client.poll(taskId, { afterEventId: lastEventId }).catch(() => ({ status: 500 }));
    expect(status).toBe(isOurs ? 422 : 500);
  });
});
