import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';

// One node whose work goes on until it is let go: `lease-host.ts <Redis port> <lease in milliseconds> <places>`. Tells its parent its port, which
// work began and which was told to stop; is told `let go`, `block` (for so many milliseconds) and `close`.
const [, , redisPort = '', leaseMs = '', places = ''] = process.argv;
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);
const silent = { warn: () => undefined, error: () => undefined };

let letGo: () => void = () => undefined;
const open = new Promise<void>((resolve) => (letGo = resolve));
const work = async (task: { taskId: string; attempt: number; signal: AbortSignal; progress(percent: number): Promise<void> }) => {
  process.send?.({ began: task.taskId, attempt: task.attempt });
  const stopped = new Promise<never>((_, reject) => {
    task.signal.addEventListener('abort', () => {
      process.send?.({ stopped: task.taskId, attempt: task.attempt });
      reject(task.signal.reason as Error);
    });
  });
  await Promise.race([open, stopped]);
  return `attempt ${task.attempt}`;
};

const bridge = createTaskBridge({
  store: redisStore(redis, { logger: silent, commandTimeoutMs: 2000 }),
  executor: inProcess({ once: work, again: { repeatable: true, run: work } }, { concurrencyMax: Number(places), logger: silent }),
  auth: () => ({ subject: 'ada' }),
  logger: silent,
  tasks: { leaseMs: Number(leaseMs), reconcileMs: 100, effectRetryMs: 50 },
});
const app = new Koa();
app.use(bridge.middleware());
const server = createServer(app.callback());
await bridge.start();
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (message: { readonly letGo?: true; readonly blockMs?: number; readonly close?: true }) => {
  if (message.letGo) letGo();
  if (message.close) void bridge.close().then(() => process.exit(0));
  if (message.blockMs === undefined) return;
  process.send?.({ blocking: true });
  for (const until = performance.now() + message.blockMs; performance.now() < until;);
  process.send?.({ blocked: true });
});
process.once('disconnect', () => process.exit(0));
