import { createServer } from 'node:http';
import Koa from 'koa';
import { onTestFinished } from 'vitest';
import { inProcess, type PartStream, type ValueStream } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { taskParts } from 'taskbridge/client/parts';
import { sharedStreams } from 'taskbridge/client/streams';
import type { Json } from 'taskbridge/wire';
import { createTaskBridge, type TaskBridge, type TaskBridgeOptions } from 'taskbridge/server';
import { onLoopback } from '../support/loopback.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** What the work of a task is told to do. */
export type PartOrder =
  | { readonly open: string; readonly kind?: 'text' | 'reasoning' | 'jsonl' }
  | { readonly write: string }
  /** Opens a value that is replaced. */
  | { readonly openValue: string }
  | { readonly set: Json }
  | { readonly progress: number }
  | { readonly end: true }
  | { readonly finish: true };

/** A task whose work does what the test says, one thing after the other. */
export interface WritingTask {
  readonly taskId: string;
  /** Resolves when the work has taken it: `progress` and `end` are facts then, and what was written is on its way. */
  order(order: PartOrder): Promise<void>;
}

/** A bridge behind a real server, whose streams and sockets a test can refuse, and clients that take parts. */
export interface PartHost {
  readonly bridge: TaskBridge;
  readonly baseUrl: string;
  /** Requests that come to these are cut. */
  readonly down: { ws: boolean; sse: boolean };
  /** Bytes that the server has sent, all connections together. */
  readonly sentBytes: number;
  client(options?: Partial<TaskBridgeClientOptions>): TaskBridgeClient;
  start(): Promise<WritingTask>;
  /** Cuts all connections; says how many there were. */
  cut(): number;
}

// Its tasks are still at work when a test has finished.
const quiet = { warn: () => undefined, error: () => undefined };

interface Given {
  readonly order: PartOrder;
  readonly done: () => void;
}

/** Starts it; it is closed when the test has finished. */
export async function partHost(tasks: TaskBridgeOptions['tasks'] = {}): Promise<PartHost> {
  const orders = new Map<string, { readonly given: Given[]; wake: () => void }>();
  const queueOf = (taskId: string) => {
    const known = orders.get(taskId) ?? { given: [], wake: () => undefined };
    orders.set(taskId, known);
    return known;
  };
  async function* ordersOf(taskId: string): AsyncGenerator<Given> {
    const queue = queueOf(taskId);
    for (;;) {
      const next = queue.given.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (queue.wake = resolve));
    }
  }
  const bridge = createTaskBridge({
    store: memoryStore(),
    tasks,
    logger: quiet,
    executor: inProcess(
      {
        work: async (task) => {
          let out = undefined as PartStream | undefined;
          let value = undefined as ValueStream | undefined;
          for await (const { order, done } of ordersOf(task.taskId)) {
            if ('open' in order) out = task.stream(order.open, { kind: order.kind ?? 'text', flushMs: 10, flushBytes: 1 });
            else if ('write' in order) await out?.write(order.write);
            else if ('openValue' in order) value = task.stream(order.openValue, { kind: 'latest' });
            else if ('set' in order) void value?.write(order.set);
            else if ('progress' in order) await task.progress(order.progress);
            else if ('end' in order) await (value ?? out)?.end();
            done();
            if ('finish' in order) return { ok: true };
          }
        },
      },
      { logger: quiet },
    ),
    auth: () => ({ subject: 'ada' }),
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const down = { ws: false, sse: false };
  const handle = app.callback();
  const server = createServer((request, response) => {
    if (down.sse && request.url?.includes('/events/stream')) return void request.socket.destroy();
    void handle(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    if (down.ws) socket.destroy();
    else bridge.upgrade(request, socket, head);
  });
  let gone = 0;
  server.on('connection', (socket) => socket.once('close', () => (gone += socket.bytesWritten)));
  await bridge.start();
  const listening = await onLoopback(server);
  const clients: TaskBridgeClient[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await bridge.close();
    await listening.close();
  });
  return {
    bridge,
    baseUrl: listening.url,
    down,
    get sentBytes() {
      return [...listening.sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, gone);
    },
    client({ limits, ...options } = {}) {
      const client = createTaskBridgeClient({
        baseUrl: listening.url,
        parts: taskParts(),
        ...options,
        limits: { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1, ...limits },
      });
      clients.push(client);
      return client;
    },
    async start() {
      const { taskId } = await createTaskBridgeClient({ baseUrl: listening.url }).start({ taskType: 'work' });
      return {
        taskId,
        order: (order) =>
          new Promise((done) => {
            const queue = queueOf(taskId);
            queue.given.push({ order, done });
            queue.wake();
          }),
      };
    },
    cut() {
      const all = [...listening.sockets];
      for (const socket of all) socket.destroy();
      return all.length;
    },
  };
}

/** Has the work write a text, in pieces of so many characters. */
export async function writePieces(task: WritingTask, text: string, step = 500): Promise<void> {
  for (let at = 0; at < text.length; at += step) await task.order({ write: text.slice(at, at + step) });
}

const WORDS = ['so ', 'büro ', '語 ', '🙂', 'and then it goes on, ', '\n', 'e\u0301 '];

/** About so many bytes of text, with characters of every length. */
export function answerOf(random: SeededRandom, bytes: number): string {
  let text = '';
  for (let length = 0; length < bytes;) {
    const word = random.pick(WORDS);
    text += word;
    length += Buffer.byteLength(word);
  }
  return text;
}

/** One way after the other by which a client is told of a task, and what its options are then. */
export const transportsOfParts: readonly (readonly [string, Partial<TaskBridgeClientOptions>])[] = [
  ['a WebSocket', { transports: ['ws'] }],
  ['an event stream', { transports: ['sse'] }],
  ['an event stream that tasks share', { transports: ['sse'], streams: sharedStreams() }],
  ['long polls', { transports: ['poll'] }],
];

/** A place for checkpoints whose texts a test reads and changes. */
export function legibleCheckpoints() {
  const texts = new Map<string, string>();
  return {
    texts,
    checkpoints: {
      read: async (key: string) => texts.get(key),
      write: async (key: string, text: string) => void texts.set(key, text),
      remove: async (key: string) => void texts.delete(key),
    },
  };
}
