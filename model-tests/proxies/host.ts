import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge, type LiveOptions } from 'taskbridge/server';

/** The host behind the proxies. */
export interface Host {
  readonly port: number;
  /** Requests and upgrades that came, as `GET /path`. */
  readonly asked: readonly string[];
  /** Cuts what is connected and listens no longer; its tasks go on. A proxy before it has nobody to ask. */
  leave(): Promise<void>;
  /** Listens again, where it did. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** What a host for a test may be told. */
export interface HostSettings {
  readonly live?: Partial<LiveOptions>;
  /** What it serves beside the routes, by path: for browsers. */
  readonly files?: Readonly<Record<string, { readonly type: string; readonly text: string }>>;
}

/**
 * A host with one kind of work: `rounds` asks a question, says that it was answered, and does so again, as often as its input says. Who asks is
 * known by a token or a cookie.
 */
export async function startHost({ live = {}, files = {} }: HostSettings = {}): Promise<Host> {
  const asked: string[] = [];
  const bridge = createTaskBridge({
    store: memoryStore(),
    attachments: memoryAttachments(),
    executor: inProcess({
      rounds: async (task) => {
        const rounds = Number(task.input['rounds']);
        for (let round = 1; round <= rounds; round += 1) {
          await task.suspend(`round-${round}`, { reasonCode: 'ROUND', allowedActions: ['on'] });
          await task.progress((round / rounds) * 100, { stage: `round ${round}` });
        }
        return { rounds };
      },
    }),
    auth: ({ headers }) => (headers.authorization === 'Bearer ada' || headers.cookie === 'name=ada' ? { subject: 'ada' } : undefined),
    live,
  });
  const app = new Koa();
  app.use(async (ctx, next) => {
    const file = files[ctx.path];
    if (!file) return void (await next());
    ctx.type = file.type;
    ctx.body = file.text;
  });
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  for (const event of ['request', 'upgrade'])
    server.on(event, ({ method, url }: { method: string; url: string }) => void asked.push(`${method} ${url}`));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await bridge.start();
  await listen(server, 0);
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo;
  const leave = async (): Promise<void> => {
    const gone = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await gone;
  };
  return {
    port,
    asked,
    leave,
    comeBack: () => listen(server, port),
    async close() {
      await bridge.close();
      await leave();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
