import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';
import { onLoopback } from '../support/loopback.ts';

/** A real host whose work counts, asks and cuts every connection now and then. */
export interface CountingHost {
  readonly url: string;
  /** How often all connections were cut. */
  readonly cuts: number;
  /** WebSockets that there ever were. */
  readonly upgrades: number;
  close(): Promise<void>;
}

/** Starts it; `serve` answers what is no request of the bridge. */
export async function countingHost(serve?: (request: IncomingMessage, response: ServerResponse) => void): Promise<CountingHost> {
  const counts = { cuts: 0, upgrades: 0 };
  const cut = (): void => {
    for (const socket of listening.sockets) socket.destroy();
    counts.cuts += 1;
  };
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({
      count: async (task) => {
        const to = Number(task.input['to']);
        for (let i = 1; i <= to; i += 1) {
          await task.progress((i / to) * 100);
          if (i % 2 === 1) cut();
        }
        const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        cut();
        return { went: actionType };
      },
    }),
    auth: () => ({ subject: 'ada' }),
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const handle = app.callback();
  const server = createServer((request, response) => {
    if (serve && !request.url?.startsWith('/api/')) serve(request, response);
    else void handle(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    counts.upgrades += 1;
    bridge.upgrade(request, socket, head);
  });
  await bridge.start();
  const listening = await onLoopback(server);
  return {
    url: listening.url,
    get cuts() {
      return counts.cuts;
    },
    get upgrades() {
      return counts.upgrades;
    },
    async close() {
      await bridge.close();
      await listening.close();
    },
  };
}
