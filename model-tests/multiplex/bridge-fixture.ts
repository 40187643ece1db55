import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import Koa from 'koa';
import { onTestFinished } from 'vitest';
import {
  createTaskBridgeClient,
  type Fact,
  type Observation,
  type TaskBridgeClient,
  type TaskBridgeClientOptions,
} from 'taskbridge/client/node';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge, type Store, type TaskBridge, type TaskBridgeOptions } from 'taskbridge/server';
import { onLoopback } from '../support/loopback.ts';

/** A bridge on a real port whose tasks report when the test says so, and clients of it. */
export interface BridgeFixture {
  readonly bridge: TaskBridge;
  readonly store: Store;
  readonly server: Server;
  readonly baseUrl: string;
  /** Headers of every upgrade that came. */
  readonly upgrades: (string | undefined)[];
  /** The subprotocols that every upgrade offered. */
  readonly protocols: (string | undefined)[];
  /** Connections that were upgraded and are open. */
  readonly sockets: ReadonlySet<Socket>;
  client(options?: Partial<TaskBridgeClientOptions>): TaskBridgeClient;
  /** Starts a task that waits to be told what to report. */
  start(): Promise<ManualTask>;
}

/** One task, moved by the test. */
export interface ManualTask {
  readonly taskId: string;
  report(count?: number): Promise<void>;
  finish(): Promise<void>;
  /** The whole log, as the store has it. */
  log(): Promise<string[]>;
}

interface Order {
  readonly count: number | 'finish';
  readonly done: () => void;
}

let requests = 0;

/** Without `sharesSockets` the server is one that does not know the extension. */
export async function bridgeFixture({
  sharesSockets = true,
  ...options
}: Partial<TaskBridgeOptions> & { sharesSockets?: boolean } = {}): Promise<BridgeFixture> {
  const store = memoryStore();
  const orders = new Map<string, { readonly waiting: Order[]; wake: () => void }>();
  const bridge = createTaskBridge({
    store,
    executor: inProcess({
      told: async (task) => {
        const queue = orders.get(JSON.stringify(task.input));
        for (;;) {
          const order = queue?.waiting.shift();
          if (!order) await new Promise<void>((resolve) => queue && (queue.wake = resolve));
          else if (order.count === 'finish') {
            order.done();
            return {};
          } else {
            for (let i = 0; i < order.count; i += 1) await task.message(`message ${i}`);
            order.done();
          }
        }
      },
    }),
    auth: ({ headers }) => {
      const token = /^Bearer (\w+)/.exec(headers.authorization ?? '')?.[1];
      return token === undefined || token === 'stale' ? undefined : { subject: 'ann' };
    },
    logger: { warn: () => undefined, error: () => undefined },
    ...options,
  });
  const app = new Koa();
  app.use(bridge.middleware());
  const server = createServer(app.callback());
  const upgrades: (string | undefined)[] = [];
  const protocols: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  server.on('upgrade', (request, socket: Socket, head) => {
    upgrades.push(request.headers.authorization);
    protocols.push(request.headers['sec-websocket-protocol']);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (!sharesSockets) request.url = request.url?.replace('multiplex', '') ?? '';
    bridge.upgrade(request, socket, head);
  });
  await bridge.start();
  const { url: baseUrl, close: stop } = await onLoopback(server);
  const clients: TaskBridgeClient[] = [];

  function client(more: Partial<TaskBridgeClientOptions> = {}): TaskBridgeClient {
    const { limits, ...rest } = more;
    const made = createTaskBridgeClient({
      baseUrl,
      auth: () => 'good',
      ...rest,
      limits: { backoffBaseMs: 1, backoffMaxMs: 20, emptyPauseMs: 1, ...limits },
    });
    clients.push(made);
    return made;
  }
  const starter = client();

  onTestFinished(async () => {
    await Promise.all(clients.map((one) => one.close()));
    for (const { waiting, wake } of orders.values()) {
      waiting.push({ count: 'finish', done: () => undefined });
      wake();
    }
    await bridge.close();
    await stop();
  });

  return {
    bridge,
    store,
    server,
    baseUrl,
    upgrades,
    protocols,
    sockets,
    client,
    async start() {
      requests += 1;
      const name = `task-${requests}`;
      const queue = { waiting: [] as Order[], wake: () => undefined as void };
      orders.set(JSON.stringify({ name }), queue);
      const { taskId } = await starter.start({ taskType: 'told', input: { name } });
      const tell = (count: Order['count']): Promise<void> =>
        new Promise((done) => {
          queue.waiting.push({ count, done });
          queue.wake();
        });
      return {
        taskId,
        report: (count = 1) => tell(count),
        finish: () => tell('finish'),
        async log() {
          const page = await store.read(taskId, 1, { facts: 100_000, bytes: 1e9 });
          return (page?.entries ?? []).map(({ eventId }) => eventId);
        },
      };
    },
  };
}

/** Takes every fact of an observation, at its own pace. */
export interface Consumer {
  readonly ids: string[];
  /** Resolves after the terminal fact, rejects as the iterator does. */
  readonly over: Promise<void>;
}

export function consume(observation: Observation, pace?: (fact: Pick<Fact, 'eventId'>) => Promise<void> | void): Consumer {
  const ids: string[] = [];
  const over = (async () => {
    for await (const fact of observation) {
      ids.push(fact.eventId);
      await pace?.(fact);
    }
  })();
  // Who wants to know awaits it.
  over.catch(() => undefined);
  return { ids, over };
}
