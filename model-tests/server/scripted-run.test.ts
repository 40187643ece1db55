import { createServer } from 'node:http';
import Koa from 'koa';
import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { beforeAll, describe, expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { createTaskBridge, type TaskBridge, type TaskExecutor, type TaskSettings } from '../../server/index.ts';
import { metricsTable, recordsTable, type MetricName, type RecordName } from '../../server/observability/index.ts';
import { eventually } from '../support/eventually.ts';
import { onLoopback } from '../support/loopback.ts';

/** What people wrote. It stands in every payload of the run, and may stand in no record. */
const SECRET = 'zq-people-wrote-this';

interface Told {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
type Counts = ReadonlyMap<string, number>;

interface World {
  readonly told: Told[];
  readonly counts: Map<string, number>;
  readonly gauges: string[];
  readonly bridge: TaskBridge;
  readonly client: (options?: Partial<TaskBridgeClientOptions>) => TaskBridgeClient;
  readonly url: string;
  close(): Promise<void>;
}

/** Handlers, an executor that refuses one type, and one whose first answer cannot be handed over. */
function executors(): TaskExecutor[] {
  const handlers = inProcess({
    async ask(task) {
      await task.progress(10, { stage: SECRET, message: SECRET });
      await task.message(SECRET);
      const { payload } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['yes'], uiHints: { text: SECRET } });
      return { payload };
    },
    async fail() {
      throw new Error(SECRET);
    },
    wait: (task) =>
      new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error), { once: true })),
  });
  let isAway = true;
  const refusing: TaskExecutor = {
    ...handlers,
    name: 'refusing',
    handles: (taskType) => taskType === 'refused',
    start: () => Promise.resolve({ status: 'refused', failure: { code: 'NO', message: SECRET, retryable: false } }),
  };
  const stumbling: TaskExecutor = {
    name: handlers.name,
    leased: handlers.leased,
    handles: (taskType) => handlers.handles(taskType),
    repeatable: (taskType) => handlers.repeatable(taskType),
    start: (work) => handlers.start(work),
    cancel: (attempt, order) => handlers.cancel(attempt, order),
    async resume(attempt, resolution) {
      if (isAway) {
        isAway = false;
        throw new Error('Away for a moment.');
      }
      return handlers.resume(attempt, resolution);
    },
    close: () => handlers.close?.() ?? Promise.resolve(),
  };
  return [refusing, stumbling];
}

async function world(told: Told[], tasks: Partial<TaskSettings> = {}): Promise<World> {
  const counts = new Map<string, number>();
  const gauges: string[] = [];
  const tell =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void told.push({ level, message, fields });
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: executors(),
    auth: ({ headers }) => ({ subject: headers['x-user']?.toString() ?? 'ada' }),
    ownership: { refuseCreate: (_auth, { metadata }) => (metadata['forbidden'] === true ? SECRET : undefined) },
    attachments: memoryAttachments(),
    metrics: {
      incrementCounter(name, value = 1, tags = {}) {
        const key = keyOf(name, tags);
        counts.set(key, (counts.get(key) ?? 0) + value);
      },
      setGauge: (name, value, tags = {}) => void gauges.push(`${keyOf(name, tags)} ${value}`),
      observeHistogram: (name, value, tags = {}) => void gauges.push(`${keyOf(name, tags)} ${value}`),
    },
    logger: { info: tell('info'), debug: tell('debug'), warn: tell('warn'), error: tell('error') },
    live: { heartbeatMs: 20, sseHeartbeatMs: 20 },
    tasks: { reconcileMs: 20, effectRetryMs: 10, ...tasks },
  });
  const app = new Koa();
  app.use(bridge.middleware());
  const handle = app.callback();
  const server = createServer((request, response) => void handle(request, response));
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const listening = await onLoopback(server);
  const clients: TaskBridgeClient[] = [];
  return {
    told,
    counts,
    gauges,
    bridge,
    url: listening.url,
    client(options = {}) {
      const made = createTaskBridgeClient({
        baseUrl: listening.url,
        ...options,
        limits: { backoffBaseMs: 1, backoffMaxMs: 4, emptyPauseMs: 1, pollWaitMs: 200, ...options.limits },
      });
      clients.push(made);
      return made;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await bridge.close();
      await listening.close();
    },
  };
}

function keyOf(name: string, tags: Readonly<Record<string, string>>): string {
  return `${name}${Object.entries(tags)
    .map(([tag, value]) => `{${tag}=${value}}`)
    .join('')}`;
}

/** Follows the task until its question is open. */
async function question(client: TaskBridgeClient, taskId: string): Promise<string> {
  for await (const fact of client.observe(taskId))
    if (fact.type === 'TASK_SUSPENDED') return (fact.payload as FactPayload<'TASK_SUSPENDED'>).suspendId;
  throw new Error('No question was asked.');
}

/** Where the routes of transports lead nowhere, so that a client has to come down. */
const nowhere = () => '/api/v1/nowhere';

/** All that can happen to tasks, once. */
async function play({ client, told, url }: World): Promise<void> {
  const ada = client();
  const input = { text: SECRET };
  const metadata = { text: SECRET };
  const file = { fileName: `${SECRET}.txt`, contentType: 'text/plain', content: new Blob([SECRET]) };
  const { taskId } = await ada.start({ taskType: 'ask', clientRequestId: 'r1', input, metadata, attachments: [file] });
  const suspendId = await question(ada, taskId);
  await ada.start({ taskType: 'ask', clientRequestId: 'r1', input, metadata, attachments: [file] });
  await ada.start({ taskType: 'wait', clientRequestId: 'r1', input }).catch(() => undefined);
  await ada.start({ taskType: 'wait', clientRequestId: 'r2', metadata: { forbidden: true } }).catch(() => undefined);
  await ada.start({ taskType: 'refused', clientRequestId: 'r3', input }).catch(() => undefined);
  await ada.start({ taskType: 'fail', clientRequestId: 'r4', input });
  const waiting = await ada.start({ taskType: 'wait', clientRequestId: 'r5', input });

  // Somebody comes down to a stream, somebody to polls, and both while nothing is said, so that a socket beside them is kept warm.
  const silent = ada.observe(waiting.taskId);
  await eventually(() => told.some(({ message }) => message === 'ws.heartbeat.sent'));
  for (const routes of [{ webSocket: nowhere }, { webSocket: nowhere, stream: nowhere }]) {
    const fallen = client({ routes }).observe(waiting.taskId);
    await new Promise<void>((resolve) => {
      fallen.subscribe(() => void (fallen.getSnapshot().connection.state === 'live' && resolve()));
      if (fallen.getSnapshot().connection.state === 'live') resolve();
    });
    fallen.close();
  }
  await eventually(() => silent.getSnapshot().task.lastEventId !== null);
  const checkpoint = silent.getSnapshot().task.lastEventId;
  silent.close();
  for (const transport of ['ws', 'sse', 'poll'] as const) {
    const back = client({ transports: [transport] }).observe(waiting.taskId, { lastEventId: checkpoint ?? '' });
    await eventually(() => back.getSnapshot().connection.state === 'live');
    back.close();
  }

  const answer = { suspendId, clientActionId: 'a1', actionType: 'yes', payload: { text: SECRET }, metadata };
  await ada.act(taskId, answer);
  await ada.act(taskId, answer);
  await ada.act(taskId, { suspendId, clientActionId: 'a2', actionType: 'yes' });
  await fetch(`${url}/api/v1/tasks/${SECRET}/cancel`, { method: 'POST' });
  await ada.cancel(waiting.taskId, SECRET);
  for (const id of [taskId, waiting.taskId]) for await (const _ of client({ transports: ['poll'] }).observe(id));
  await ada.cancel(waiting.taskId, SECRET);
  await fetch(`${url}/api/v1/tasks/${taskId}`, { method: 'DELETE' });
}

describe('a scripted run', () => {
  let run: World;
  let counts: Counts;

  beforeAll(async () => {
    const told: Told[] = [];
    run = await world(told);
    await play(run);
    await run.close();
    const brief = await world(told, { retainedAfterEndMs: 500 });
    await brief.client().start({ taskType: 'fail', clientRequestId: 'r6' });
    await eventually(() => told.some(({ message }) => message === 'task.retention.pruned'));
    await brief.close();
    ({ counts } = run);
  });

  const counted = (name: MetricName, ...tags: readonly string[]): number => counts.get(`${name}${tags.join('')}`) ?? 0;

  test('counts each thing that happened, with the meaning of its metric', () => {
    expect({
      starts: counted('task_starts_total'),
      duplicates: counted('duplicates_total'),
      cancels: counted('cancels_total'),
      failures: counted('task_failures_total'),
      accepted: counted('actions_accepted_total'),
      pending: counted('actions_resume_pending_total'),
      actions: ['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED'].map((status) => counted('actions_total', `{status=${status}}`)),
    }).toEqual({
      // r1, r3, r4, r5; a refused start is one.
      starts: 4,
      // r1 again, a1 again, and r3, which the client sends again after its 503.
      duplicates: 3,
      cancels: 1,
      // The refused one and the one that failed.
      failures: 2,
      accepted: 1,
      pending: 1,
      actions: [1, 1, 1],
    });
  });

  test('counts who came down, and who went on after a cursor, on the transport where it was', () => {
    expect(['ws', 'sse', 'poll'].map((transport) => counted('fallbacks_total', `{transport=${transport}}`))).toEqual([0, 1, 1]);
    for (const transport of ['ws', 'sse', 'poll']) expect(counted('replays_total', `{transport=${transport}}`)).toBeGreaterThan(0);
    expect(counted('replays_total', '{transport=sse}')).toBe(1);
  });

  test('shows how many streams are open, up and down to none', () => {
    for (const transport of ['ws', 'sse']) {
      const values = run.gauges.flatMap((line) =>
        line.startsWith(`streams_active{transport=${transport}}`) ? [Number(line.split(' ')[1])] : [],
      );
      expect(Math.max(...values)).toBeGreaterThan(0);
      expect(values.at(-1)).toBe(0);
    }
  });

  test('shows each metric of the table, with its tags, and no other', () => {
    const seen = new Map(
      [...counts.keys(), ...run.gauges].map((key) => [key.split(/[{ ]/)[0], [...key.matchAll(/\{(\w+)=/g)].map(([, tag]) => tag)]),
    );
    expect(Object.fromEntries([...seen].sort())).toEqual(
      Object.fromEntries(
        Object.entries(metricsTable)
          .map(([name, { tags }]) => [name, [...tags]] as const)
          .sort(),
      ),
    );
  });

  test('writes each record of the table at its level, with fields of the table only', () => {
    const records = run.told.filter(({ level }) => level === 'info' || level === 'debug');
    expect([...new Set(records.map(({ message }) => message))].sort()).toEqual(Object.keys(recordsTable).sort());
    for (const { level, message, fields } of records) {
      const row = recordsTable[message as RecordName];
      expect([message, level]).toEqual([message, row.level]);
      expect(Object.keys(fields).filter((name) => !(row.fields as readonly string[]).includes(name))).toEqual([]);
      for (const value of Object.values(fields)) expect(value).toEqual(expect.any(String));
    }
    for (const [name, { fields }] of Object.entries(recordsTable))
      expect([name, ...new Set(records.flatMap((told) => (told.message === name ? Object.keys(told.fields) : [])))].sort()).toEqual(
        [name, ...fields].sort(),
      );
  });

  test('says who, where and what came of it', () => {
    const records = (name: RecordName) => run.told.flatMap(({ message, fields }) => (message === name ? [fields] : []));
    expect(records('http.task.create').map(({ clientRequestId, outcome }) => [clientRequestId, outcome])).toEqual([
      ['r1', 'created'],
      ['r1', 'duplicate'],
      ['r1', 'IDEMPOTENCY_CONFLICT'],
      ['r2', 'TASK_OWNERSHIP_ERROR'],
      ['r3', 'TASK_SUBMISSION_ERROR'],
      ['r3', 'duplicate'],
      ['r4', 'created'],
      ['r5', 'created'],
      ['r6', 'created'],
    ]);
    expect(records('task.create.denied').map(({ outcome }) => outcome)).toEqual(['IDEMPOTENCY_CONFLICT', 'TASK_OWNERSHIP_ERROR']);
    expect(records('http.task.action').map(({ outcome }) => outcome)).toEqual(['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED']);
    expect(records('http.task.cancel').map(({ outcome }) => outcome)).toEqual([
      'TASK_NOT_FOUND',
      'CANCELLATION_REQUESTED',
      'ALREADY_TERMINAL',
    ]);
    expect(records('task.resume.reconciled').map(({ outcome }) => outcome)).toEqual(['ANSWERED']);
    expect(new Set(run.told.flatMap(({ fields }) => ('userId' in fields ? [fields['userId']] : [])))).toEqual(new Set(['ada']));
    expect(
      new Set(
        run.told.flatMap(({ message, fields }) =>
          'transport' in fields ? [`${message.split('.')[0]} ${String(fields['transport'])}`] : [],
        ),
      ),
    ).toEqual(new Set(['http http', 'ws ws', 'task internal', 'task ws']));
    const appended = records('task.event.appended').map(({ eventId, outcome }) => `${String(eventId)} ${String(outcome)}`);
    expect(appended.filter((line) => line.endsWith('TASK_FAILED'))).toHaveLength(3);
  });

  test('has not a word of what people wrote in anything that it told', () => {
    expect(run.told.length).toBeGreaterThan(50);
    const spoken = run.told.map(({ message, fields }) =>
      JSON.stringify([message, fields], (_key, value: unknown) =>
        value instanceof Error ? [value.message, value.stack, value.cause] : value,
      ),
    );
    expect(spoken.filter((text) => text.includes(SECRET))).toEqual([]);
    expect([...counts.keys()].filter((key) => key.includes(SECRET))).toEqual([]);
  });
});
