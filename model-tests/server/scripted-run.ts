import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import Koa from 'koa';
import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { createTaskBridge, type TaskBridge, type TaskExecutor, type TaskSettings } from '../../server/index.ts';
import { eventually } from '../support/eventually.ts';
import { onLoopback } from '../support/loopback.ts';

/** More than a connection takes whose other end reads nothing. */
const FLOOD = { facts: 400, text: 'x'.repeat(32_000) };

/** What people wrote. It stands in every payload of the run, and may stand in no record. */
export const SECRET = 'zq-people-wrote-this';

/** What its logger was told. */
export interface Told {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A host that is watched, and its clients. */
export interface World {
  readonly told: Told[];
  readonly counts: Map<string, number>;
  readonly gauges: string[];
  readonly bridge: TaskBridge;
  /** From now on the store answers for the text of parts. */
  answerFlushes(): void;
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
      const part = task.stream('answer', { kind: 'text' });
      void part.write(SECRET);
      await part.end();
      const { payload } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['yes'], uiHints: { text: SECRET } });
      return { payload };
    },
    async fail() {
      throw new Error(SECRET);
    },
    async flood(task) {
      for (let n = 0; n < FLOOD.facts; n++) await task.message(FLOOD.text);
      await once(task.signal, 'abort');
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

/** A store that answers for no text until it is told to, so that what waits for it is seen. */
function slowStore() {
  const store = memoryStore();
  const { lanes } = store;
  if (!lanes) throw new Error('The memory store keeps parts.');
  let answerFlushes = (): void => undefined;
  const told = new Promise<void>((resolve) => (answerFlushes = resolve));
  const flush: typeof lanes.flush = (flushes) => told.then(() => lanes.flush(flushes));
  return { store: { ...store, lanes: { ...lanes, flush } }, answerFlushes };
}

/** Starts it. */
export async function world(told: Told[], tasks: Partial<TaskSettings> = {}): Promise<World> {
  const counts = new Map<string, number>();
  const gauges: string[] = [];
  const tell =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void told.push({ level, message, fields });
  const { store, answerFlushes } = slowStore();
  const bridge = createTaskBridge({
    store,
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
    metricsEveryMs: 100,
    // Long enough for a look at what could not be handed over.
    tasks: { reconcileMs: 20, effectRetryMs: 300, ...tasks },
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
    answerFlushes,
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

/** Opens a stream and reads nothing of it, until that is seen. */
async function stall({ gauges, url }: World, taskId: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /api/v1/tasks/${taskId}/events/stream HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\n\r\n`);
  for (const seen of [/^unsent_bytes\{transport=sse\} [1-9]/, /^viewers\{transport=sse\}\{phase=behind\} [1-9]/])
    await eventually(() => gauges.some((line) => seen.test(line)));
  socket.destroy();
}

/** Follows the task until its question is open. */
async function question(client: TaskBridgeClient, taskId: string): Promise<string> {
  for await (const fact of client.observe(taskId))
    if (fact.type === 'TASK_SUSPENDED') return (fact.payload as FactPayload<'TASK_SUSPENDED'>).suspendId;
  throw new Error('No question was asked.');
}

/** Waits until a gauge is set so from now on: what comes and goes between two looks is never shown. */
async function shown({ gauges }: World, line: string): Promise<void> {
  const from = gauges.length;
  await eventually(() => gauges.slice(from).includes(line));
}

/** Where the routes of transports lead nowhere, so that a client has to come down. */
const nowhere = () => '/api/v1/nowhere';

/** All that can happen to tasks, once. */
export async function play(run: World): Promise<void> {
  const { client, told, url } = run;
  const ada = client();
  const input = { text: SECRET };
  const metadata = { text: SECRET };
  const file = { fileName: `${SECRET}.txt`, contentType: 'text/plain', content: new Blob([SECRET]) };
  const { taskId } = await ada.start({ taskType: 'ask', clientRequestId: 'r1', input, metadata, attachments: [file] });
  await eventually(() => run.gauges.some((line) => /^part_unsent_bytes [1-9]/.test(line)));
  run.answerFlushes();
  const suspendId = await question(ada, taskId);
  await shown(run, 'tasks_held{task_type=ask}{state=suspended} 1');
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
  await eventually(() => run.gauges.includes('handoffs_pending 1'));
  await ada.act(taskId, answer);
  await ada.act(taskId, { suspendId, clientActionId: 'a2', actionType: 'yes' });
  await fetch(`${url}/api/v1/tasks/${SECRET}/cancel`, { method: 'POST' });
  // Somebody is level with the log, and seen to be, when something is committed.
  const level = client({ transports: ['ws'] }).observe(waiting.taskId);
  await shown(run, 'viewers{transport=ws}{phase=level} 1');
  await ada.cancel(waiting.taskId, SECRET);
  for await (const _ of level);
  for (const id of [taskId, waiting.taskId]) for await (const _ of client({ transports: ['poll'] }).observe(id));
  await ada.cancel(waiting.taskId, SECRET);
  await fetch(`${url}/api/v1/tasks/${taskId}`, { method: 'DELETE' });

  // Somebody has a cursor of another history, somebody reads nothing, somebody waits in a poll, and the close finds work that goes on.
  const flood = await ada.start({ taskType: 'flood', clientRequestId: 'r7' });
  for (const transport of ['ws', 'poll'] as const) {
    const odd = client({ transports: [transport] }).observe(waiting.taskId, { lastEventId: '1-1' });
    for await (const _ of odd);
  }
  await stall(run, flood.taskId);
  const quiet = await ada.start({ taskType: 'wait', clientRequestId: 'r8' });
  const patient = client({ transports: ['poll'], limits: { pollWaitMs: 2000 } }).observe(quiet.taskId);
  await shown(run, 'polls_waiting 1');
  await ada.cancel(quiet.taskId);
  for await (const _ of patient);
  await eventually(() => run.gauges.includes('tasks_stored{task_type=wait}{state=cancelled} 2'));
}
