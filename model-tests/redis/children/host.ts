import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, TaskFailure } from 'taskbridge/adapters/in-process';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';

// One node of a host: `host.ts <Redis port> <lease in milliseconds>`. Tells its parent the port that it listens on, and which work was fenced.
const [, , redisPort = '', leaseMs = '1500'] = process.argv;
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);

const bridge = createTaskBridge({
  store: redisStore(redis, { logger: { warn: () => undefined, error: () => undefined }, commandTimeoutMs: 3000 }),
  executor: inProcess({
    // Counts in steps, each reported once whatever happens; asks in the middle whether to go on.
    count: {
      repeatable: true,
      async run(task) {
        const to = Number(task.input['to'] ?? 20);
        const paceMs = Number(task.input['paceMs'] ?? 5);
        task.signal.addEventListener('abort', () => process.send?.({ stopped: task.taskId, attempt: task.attempt }));
        for (let step = Number(task.saved ?? 0) + 1; step <= to; step += 1) {
          if (step === Math.ceil(to / 2) && task.input['ask'] !== false) {
            const { actionType } = await task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes', 'no'] });
            if (actionType === 'no') throw new TaskFailure('STOPPED', 'Somebody said no.');
          }
          void task.progress((step / to) * 100, { stage: `step ${step}` });
          await task.save(step);
          await new Promise((resolve) => setTimeout(resolve, paceMs));
        }
        return { counted: to };
      },
    },
    // Runs until somebody cancels it.
    wait: (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error))),
  }),
  auth: () => ({ subject: 'ada' }),
  readiness: { redis: redisProbe(redis) },
  logger: { warn: () => undefined, error: () => undefined },
  tasks: { leaseMs: Number(leaseMs), reconcileMs: 100, effectRetryMs: 50 },
  live: { heartbeatMs: 1000, sseHeartbeatMs: 1000 },
});

const app = new Koa();
app.use(bridge.middleware());
const server = createServer(app.callback());
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit(0));
