import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';
import type { HostStats, HostTimes } from '../host-process.ts';

// A host to be attacked: `host.ts <JSON of its times>`. Tells its parent its port, and how it stands whenever it is asked.
const times = JSON.parse(process.argv[2] ?? '{}') as HostTimes;
const quiet = { warn: () => undefined, error: () => undefined };
const streams = new Map<string, number>();

const bridge = createTaskBridge({
  store: memoryStore(),
  attachments: memoryAttachments(),
  executor: inProcess({
    echo: async (task) => task.input,
    // Says what time it is, until it is cancelled.
    tick: async (task) => {
      while (!task.signal.aborted) {
        await task.message(String(Date.now()));
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    // Much, quickly.
    chat: async (task) => {
      for (let line = 0; !task.signal.aborted; line += 1) {
        await task.message(`${line} ${'x'.repeat(2000)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    // 3.7 MiB in 480 facts.
    essay: async (task) => {
      for (let page = 0; page < 480; page += 1) void task.message('x'.repeat(7900));
    },
    // Has looked at what it was given, and waits for a person.
    hoard: async (task) => {
      const amount = Object.keys(task.input).length;
      await task.suspend('more', { reasonCode: `HAS_${amount}`, allowedActions: ['approve'] });
    },
    // Asks, and waits for an answer that nobody gives.
    ask: async (task) => {
      await task.suspend('sure', { reasonCode: 'SURE', allowedActions: ['yes'] });
    },
    wait: (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error))),
  }),
  auth: ({ headers }) => {
    const [, subject] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    return subject === undefined || subject === 'nobody' ? undefined : { subject };
  },
  logger: quiet,
  metrics: {
    incrementCounter: () => undefined,
    setGauge: (name, value, labels) => void (name === 'streams_active' && streams.set(JSON.stringify(labels), value)),
  },
  live: { subscribeMs: times.subscribeMs },
  http: { requestTimeoutMs: times.requestTimeoutMs, drainMs: times.drainMs },
});

const app = new Koa();
// Koa tells of every cut connection: an attacker would write the log.
app.on('error', () => undefined);
app.use(bridge.middleware());
const { headersTimeoutMs, requestTimeoutMs } = times;
const server = createServer(
  { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, connectionsCheckingInterval: Math.min(1000, headersTimeoutMs / 4) },
  app.callback(),
);
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', (message) => {
  if (message === 'collect') globalThis.gc?.();
  server.getConnections((_error, connections) => {
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const viewers = [...streams.values()].reduce((sum, count) => sum + count, 0);
    process.send?.({ connections, timers, viewers, rssBytes: process.memoryUsage.rss(), isPolluted: 'polluted' in {} } satisfies HostStats);
  });
});
process.once('disconnect', () => process.exit(0));
