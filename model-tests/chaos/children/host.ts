import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, TaskFailure, type Task } from 'taskbridge/adapters/in-process';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import type { Json } from 'taskbridge/wire';
import { createTaskBridge } from 'taskbridge/server';
import type { JobInput } from '../job.ts';
import type { HostMessage } from '../work-record.ts';

// One of the hosts of a chaos run: `host.ts <Redis port> <lease in milliseconds>`. Tells its parent the port that it listens on.
const [, , redisPort = '', leaseMs = '1500'] = process.argv;
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);

interface Saved {
  readonly step: number;
  readonly answers: Readonly<Record<string, string>>;
}

/** Asks a question; gives the id of the action that answered it, or how else it ended. */
async function ask(task: Task, key: string, expiresInMs: number): Promise<readonly [string, string]> {
  try {
    const question = { reasonCode: 'GO_ON', allowedActions: ['yes', 'no', 'maybe'], ...(expiresInMs > 0 && { expiresInMs }) };
    const { clientActionId, actionType, payload } = await task.suspend(key, question);
    return [key, `${clientActionId} ${actionType} ${JSON.stringify(payload)}`];
  } catch (error) {
    if (error instanceof TaskFailure && error.code === 'SUSPENSION_EXPIRED') return [key, 'expired'];
    throw error;
  }
}

/** Works in steps, reports and saves each of them in one breath, asks in between, and gives the answers that it got as its result. */
async function job(task: Task): Promise<Json> {
  // Written by the run, which is the only one that starts tasks here.
  const { steps, paceMs, asks, end } = task.input as unknown as JobInput;
  const { step: done, answers: known } = (task.saved as Saved | undefined) ?? { step: 0, answers: {} };
  let answers = known;
  for (let step = done + 1; step <= steps; step += 1) {
    const due = asks.filter((one) => one.step === step);
    const given = await Promise.all(due.map(({ key, expiresInMs }) => ask(task, key, expiresInMs)));
    answers = { ...answers, ...Object.fromEntries(given) };
    void task.progress((step / steps) * 100, { stage: `step ${step}` });
    await task.save({ step, answers });
    await new Promise((resolve) => setTimeout(resolve, paceMs));
  }
  if (end === 'fail') throw new TaskFailure('PLANNED', JSON.stringify(answers));
  if (end === 'wait')
    await new Promise((_, reject) => {
      task.signal.addEventListener('abort', () => reject(task.signal.reason as Error));
      if (task.signal.aborted) reject(task.signal.reason as Error);
    });
  return { answers };
}

/** The same, and tells the parent when it begins and when it is over. */
async function told(task: Task): Promise<Json> {
  const { taskId, attempt } = task;
  process.send?.({ began: taskId, attempt } satisfies HostMessage);
  try {
    return await job(task);
  } finally {
    process.send?.({ over: taskId, attempt } satisfies HostMessage);
  }
}

const quiet = { warn: () => undefined, error: () => undefined };
const bridge = createTaskBridge({
  store: redisStore(redis, { logger: quiet, commandTimeoutMs: 3000 }),
  executor: inProcess({ job: { repeatable: true, run: told }, once: told }),
  auth: ({ headers }) => {
    const [, subject] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    return subject === undefined ? undefined : { subject };
  },
  readiness: { redis: redisProbe(redis) },
  logger: quiet,
  tasks: { leaseMs: Number(leaseMs), reconcileMs: 100, effectRetryMs: 50 },
  live: { heartbeatMs: 1000, sseHeartbeatMs: 1000 },
});

const app = new Koa();
// Each cut connection would be told of.
app.on('error', () => undefined);
app.use(bridge.middleware());
const server = createServer(app.callback());
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => {
  server.close();
  // Half of what runs has its end by then, the rest is given up.
  void bridge.close({ spreadMs: 200, drainMs: 1500 }).then(() => process.exit(0));
});
