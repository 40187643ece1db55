import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { openTelemetryTracer } from 'taskbridge/adapters/opentelemetry';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';
import { registerTelling } from '../told-spans.ts';

// One node of a host that traces: `traced-host.ts <Redis port> <lease in milliseconds>`. Tells its parent its port, and each span that has ended.
const [, , redisPort = '', leaseMs = ''] = process.argv;
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);
const silent = { warn: () => undefined, error: () => undefined };
registerTelling((span) => process.send?.({ span }));

const bridge = createTaskBridge({
  store: redisStore(redis, { logger: silent, commandTimeoutMs: 2000 }),
  executor: inProcess({
    // Its first attempt gets nowhere; the next one asks.
    ask: {
      repeatable: true,
      async run(task) {
        await task.progress(10);
        if (task.attempt === 1) await new Promise((_, reject) => task.signal.addEventListener('abort', reject));
        await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['yes'] });
        return 'done';
      },
    },
  }),
  auth: () => ({ subject: 'ada' }),
  tracer: openTelemetryTracer(),
  logger: silent,
  tasks: { leaseMs: Number(leaseMs), reconcileMs: 100, effectRetryMs: 50 },
});
const app = new Koa();
app.use(bridge.middleware());
const server = createServer(app.callback());
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('SIGTERM', () => void bridge.close().then(() => process.exit(0)));
process.once('disconnect', () => process.exit(0));
