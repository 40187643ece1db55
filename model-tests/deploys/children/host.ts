import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';
import { quietLogger } from '../../chaos/chaos-host.ts';

/** What such a host tells: a socket was opened, or that it listens. */
export type DeployedHostMessage = { readonly socket: true } | { readonly listens: true };

// One of the hosts behind a balancer that are deployed one after the other: `host.ts <port> <Redis port> <spread in milliseconds>`. All else is as
// by default.
const [, , port = '', redisPort = '', spreadMs = ''] = process.argv;
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);

/** Counts, until somebody says that it is enough; begins where the run before it stood. */
async function count(task: Task): Promise<{ readonly counted: number }> {
  const { paceMs } = task.input as { readonly paceMs: number };
  let isEnough = false;
  const enough = task.suspend('enough', { reasonCode: 'ENOUGH', allowedActions: ['yes'] }).then(() => (isEnough = true));
  let { counted } = (task.saved as { readonly counted: number } | undefined) ?? { counted: 0 };
  while (!isEnough) {
    counted += 1;
    void task.progress(counted % 100, { stage: `counted to ${counted}` });
    await task.save({ counted });
    await Promise.race([enough, sleep(paceMs)]);
  }
  return { counted };
}

const bridge = createTaskBridge({
  store: redisStore(redis, { logger: quietLogger }),
  executor: inProcess({ count: { repeatable: true, run: count } }, { logger: quietLogger }),
  auth: ({ headers }) => {
    const [, subject] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    return subject === undefined ? undefined : { subject };
  },
  readiness: { redis: redisProbe(redis) },
  logger: quietLogger,
});
const app = new Koa();
app.on('error', () => undefined);
app.use(bridge.middleware());
const server = createServer(app.callback());
server.on('upgrade', bridge.upgrade);
server.on('upgrade', () => process.send?.({ socket: true } satisfies DeployedHostMessage));
await bridge.start();
server.listen(Number(port), '127.0.0.1', () => process.send?.({ listens: true } satisfies DeployedHostMessage));
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => {
  server.close();
  void bridge.close({ spreadMs: Number(spreadMs) }).then(() => process.exit(0));
});
