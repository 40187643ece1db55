import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { redisStore } from 'taskbridge/adapters/redis';
import { temporalExecutor } from 'taskbridge/adapters/temporal';
import { createTaskBridge } from 'taskbridge/server';

// A host whose work runs elsewhere: `host.ts <port> <Redis port> <Temporal address> <task queue>`.
const [, , port = '', redisPort = '', address = '', taskQueue = ''] = process.argv;
const quiet = { warn: () => undefined, error: () => undefined };
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);

const bridge = createTaskBridge({
  store: redisStore(redis, { logger: quiet, commandTimeoutMs: 3000 }),
  executor: temporalExecutor({
    client: new Client({ connection: Connection.lazy({ address }) }),
    taskQueue,
    workflow: { steps: 'steps', told: 'told' },
    // Whoever takes over from a worker that was killed does not wait ten seconds for it.
    startOptions: { workflowTaskTimeout: 2000 },
  }),
  auth: () => ({ subject: 'ada' }),
  logger: quiet,
  tasks: { leaseMs: 1500, reconcileMs: 100, effectRetryMs: 50, inspectMs: 1000 },
  live: { heartbeatMs: 1000, sseHeartbeatMs: 1000 },
});

const app = new Koa();
app.use(bridge.middleware());
const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
process.once('disconnect', () => process.exit(0));
