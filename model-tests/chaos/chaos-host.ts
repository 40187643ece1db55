import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { inProcess, TaskFailure, type Task } from 'taskbridge/adapters/in-process';
import type { Json } from 'taskbridge/wire';
import { createTaskBridge, type Clock, type ReadinessProbe, type Store, type TaskSettings } from 'taskbridge/server';
import type { JobInput } from './job.ts';
import type { HostMessage } from './work-record.ts';

/** What such a host is told. */
export interface ChaosHostOptions {
  readonly store: Store;
  readonly readiness?: Readonly<Record<string, ReadinessProbe>>;
  readonly leaseMs: number;
  readonly tasks?: Partial<TaskSettings>;
  readonly clock?: Clock;
  /** Defaults to a free port of this machine. */
  readonly listen?: { readonly port: number; readonly host: string };
}

/** Tells of nothing. */
export const quietLogger = { warn: () => undefined, error: () => undefined };

/** A host whose callers are believed, in this process: tells its parent the port that it listens on, and closes when it is told to end. */
export async function startChaosHost({ store, readiness, leaseMs, tasks, clock, listen }: ChaosHostOptions): Promise<void> {
  const timed = clock === undefined ? {} : { clock };
  const bridge = createTaskBridge({
    store,
    executor: inProcess({ job: { repeatable: true, run: told }, once: told }, { logger: quietLogger, ...timed }),
    auth: ({ headers }) => {
      const [, subject] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
      return subject === undefined ? undefined : { subject };
    },
    ...(readiness && { readiness }),
    logger: quietLogger,
    tasks: { leaseMs, reconcileMs: 100, effectRetryMs: 50, ...tasks },
    live: { heartbeatMs: 1000, sseHeartbeatMs: 1000 },
    ...timed,
  });
  const app = new Koa();
  // Each cut connection would be told of.
  app.on('error', () => undefined);
  app.use(bridge.middleware());
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const { port, host } = listen ?? { port: 0, host: '127.0.0.1' };
  server.listen(port, host, () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.once('disconnect', () => process.exit(0));
  process.once('SIGTERM', () => {
    server.close();
    // Half of what runs has its end by then, the rest is given up.
    void bridge.close({ spreadMs: 200, drainMs: 1500 }).then(() => process.exit(0));
  });
}

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
