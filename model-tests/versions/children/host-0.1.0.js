import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';

// A host of release 0.1.0, frozen with its tarball and written for its doors: `host-0.1.0.js redis <port>` or `… lmdb <folder>`, run where
// `taskbridge` is that release. Offers the work of `host.ts`.
const [, , kind, at = ''] = process.argv;
const tell = (message) => process.send?.(message);
const told =
  (level) =>
  (message, { taskId, pauseMs } = {}) =>
    tell({ level, message, taskId, pauseMs, atMs: performance.now() });
const logger = { warn: told('warn'), error: told('error') };

function openRedis() {
  const redis = new Redis(Number(at), { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  return redisStore(redis, { logger });
}

const bridge = createTaskBridge({
  store: kind === 'redis' ? openRedis() : lmdbStore({ path: at }),
  executor: inProcess({
    // Counts in steps, each reported once whatever happens; asks in the middle whether to go on.
    count: {
      repeatable: true,
      async run(task) {
        const to = Number(task.input['to'] ?? 10);
        task.signal.addEventListener('abort', () => tell({ stopped: task.taskId, attempt: task.attempt }));
        for (let step = Number(task.saved ?? 0) + 1; step <= to; step += 1) {
          if (step === Math.ceil(to / 2) && task.input['ask'] !== false)
            await task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes', 'no'] });
          void task.progress((step / to) * 100, { stage: `step ${step}` });
          await task.save(step);
          await new Promise((resolve) => setTimeout(resolve, Number(task.input['paceMs'] ?? 5)));
        }
        return { counted: to, attempt: task.attempt };
      },
    },
    // Runs until somebody cancels it.
    wait: (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason))),
  }),
  auth: () => ({ subject: 'ada' }),
  logger,
  tasks: { leaseMs: 1500, reconcileMs: 100, effectRetryMs: 50 },
  live: { heartbeatMs: 1000, sseHeartbeatMs: 1000 },
});

const app = new Koa();
app.use(bridge.middleware());
const server = createServer(app.callback());
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }));
process.once('disconnect', () => process.exit(0));
// The one thing that its parent says: to end as a host does that is told to.
process.once('message', () => void bridge.close().finally(() => process.exit(0)));
