import type { ForkOptions } from 'node:child_process';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridgeClient, isFact, type TaskBridgeClient } from 'taskbridge/client/node';
import { createTaskReporter } from 'taskbridge/server/reporter';
import type { Fact, UnknownFact } from 'taskbridge/wire';
import { jobProcessor, QUEUE, type ReportJob } from '../../examples/bullmq-worker/job.ts';
import { tasks } from '../../examples/bullmq-worker/tasks.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { forkProgram, printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { AGAIN_AND_AGAIN, patience } from '../support/patience.ts';

let redis: RedisServer;
let host: RunningProcess<RegExpExecArray>;
let client: TaskBridgeClient;
let env: NodeJS.ProcessEnv;
const workers: RunningProcess<RegExpExecArray>[] = [];

const start = (program: string, ready: RegExp): Promise<RunningProcess<RegExpExecArray>> => {
  const options = { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] } satisfies ForkOptions;
  const fork = () => forkProgram(`examples/bullmq-worker/${program}.ts`, [], options);
  return startProcess(`The ${program} of the queue`, fork, (child) => printed(child, ready));
};
async function startWorker(): Promise<RunningProcess<RegExpExecArray>> {
  const worker = await start('worker', /Working/);
  workers.push(worker);
  return worker;
}

beforeEach(async () => {
  redis = await startRedis();
  const port = await freePort();
  // A worker that was killed is missed soon; one that lives must not be, on a busy machine either.
  env = { ...process.env, PORT: String(port), REDIS_URL: `redis://127.0.0.1:${redis.port}`, STALLED_MS: String(patience(1500)) };
  host = await start('host', /Listening/);
  client = createTaskBridgeClient({
    baseUrl: `http://127.0.0.1:${port}`,
    auth: () => 'ada',
    limits: { commandRetriesMax: AGAIN_AND_AGAIN },
  });
});
afterEach(async () => {
  await client.close();
  await Promise.all([host, ...workers.splice(0)].map((each) => each.kill()));
  await redis.stop();
});

const progressOf = (facts: readonly (Fact | UnknownFact)[]) =>
  facts.flatMap((fact) => (isFact(fact, 'TASK_PROGRESS') ? [fact.payload.progress] : []));
const countOf = (facts: readonly (Fact | UnknownFact)[], type: string) => facts.filter((fact) => fact.type === type).length;

it('goes on in another worker when one is killed while it works and while it waits: the task ends once, with nothing lost and nothing twice', async () => {
  let worker = await startWorker();
  const { taskId } = await client.start({ taskType: 'report.build', input: { pages: 8, pageMs: 20 } });
  const facts: (Fact | UnknownFact)[] = [];
  let kills = 0;
  for await (const fact of client.observe(taskId)) {
    facts.push(fact);
    if (isFact(fact, 'TASK_PROGRESS') && fact.payload.progress === 25) {
      await worker.kill();
      kills += 1;
      worker = await startWorker();
    }
    if (isFact(fact, 'TASK_SUSPENDED')) {
      await worker.kill();
      kills += 1;
      // Nobody lives who could be told.
      await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: 'keep-last' });
      worker = await startWorker();
    }
  }
  expect(kills).toBe(2);
  expect(progressOf(facts)).toEqual([12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100]);
  expect([countOf(facts, 'TASK_STARTED'), countOf(facts, 'TASK_SUSPENDED'), countOf(facts, 'TASK_COMPLETED')]).toEqual([1, 1, 1]);
  expect(facts.at(-1)?.type).toBe('TASK_COMPLETED');
  expect(await client.get(taskId)).toMatchObject({ state: 'completed', result: { pages: 8, kept: 'keep-last' } });
});

it('is answered while its worker lives, and cancelled whether one lives or not', async () => {
  const waiting = await client.start({ taskType: 'report.build', input: {} });
  await client.cancel(waiting.taskId, 'Not needed.');
  await startWorker();
  const answered = await client.start({ taskType: 'report.build', input: { pages: 2, pageMs: 0 } });
  for await (const fact of client.observe(answered.taskId))
    if (isFact(fact, 'TASK_SUSPENDED')) await client.act(answered.taskId, { suspendId: fact.payload.suspendId, actionType: 'keep-first' });
  expect(await client.get(answered.taskId)).toMatchObject({ state: 'completed', result: { pages: 2, kept: 'keep-first' } });

  for await (const _ of client.observe(waiting.taskId));
  expect(await client.get(waiting.taskId)).toMatchObject({ state: 'cancelled', cancellation: { reason: 'Not needed.' } });

  const { taskId } = await client.start({ taskType: 'report.build', input: { pages: 1000, pageMs: 20 } });
  for await (const fact of client.observe(taskId))
    if (isFact(fact, 'TASK_PROGRESS') && fact.payload.progress < 0.15) await client.cancel(taskId, 'Too long.');
  expect(await client.get(taskId)).toMatchObject({ state: 'cancelled', cancellation: { reason: 'Too long.' } });
});

it('is tried again by the queue, from what was saved; what the last try throws ends the task', async () => {
  const url = env['REDIS_URL'] ?? '';
  const [own, other, queueOf] = [new Redis(url), new Redis(url, { maxRetriesPerRequest: null }), new Redis(url)];
  const store = redisStore(own);
  await store.open();
  const seen: unknown[] = [];
  const process = jobProcessor(createTaskReporter({ store, contract: tasks }), async (task) => {
    seen.push(task.saved);
    await task.save(seen.length);
    if (task.input.pages > 2 || seen.length < 2) throw new Error('The disk is full.');
    return { pages: 2, kept: 'all' };
  });
  const queue = new Queue<ReportJob>(QUEUE, { connection: queueOf });
  const worker = new Worker<ReportJob>(QUEUE, process, { connection: other });
  try {
    const mended = await client.start({ taskType: 'report.build', input: { pages: 2 } });
    for await (const _ of client.observe(mended.taskId));
    expect(await client.get(mended.taskId)).toMatchObject({ state: 'completed', result: { kept: 'all' } });
    expect(seen.splice(0)).toEqual([undefined, 1]);

    const broken = await client.start({ taskType: 'report.build', input: { pages: 3 } });
    for await (const _ of client.observe(broken.taskId));
    expect(await client.get(broken.taskId)).toMatchObject({ state: 'failed', failure: { code: 'HANDLER_FAILED' } });
    expect(seen).toEqual([undefined, 1, 2]);
    await vi.waitFor(async () => expect(await queue.getJobState(broken.taskId)).toBe('failed'));
  } finally {
    await worker.close();
    await queue.close();
    await store.close();
    for (const redisClient of [own, other, queueOf]) redisClient.disconnect();
  }
});
