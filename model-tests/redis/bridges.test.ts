import { once } from 'node:events';
import { Redis } from 'ioredis';
import { inProcess, type Handler } from 'taskbridge/adapters/in-process';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import type { Clock, Store, TaskBridgeOptions, TaskExecutor } from 'taskbridge/server';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { proveWhole, stepsOf, type Log } from './proof.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { patience } from '../support/patience.ts';

/** All nodes live in this process: while it is late for so long, none keeps what it holds. */
const LEASE_MS = patience(3000);

const silent = { warn: () => undefined, error: () => undefined };
const HALF_AN_HOUR_MS = 1_800_000;
let prefixes = 0;
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
});
afterAll(() => server.stop());

/** Counts in steps, the next of which each call of `go` allows. */
function counting(steps: number) {
  const waiting: (() => void)[] = [];
  let allowed = 0;
  const count: Handler = async (task) => {
    for (let step = Number(task.saved ?? 0) + 1; step <= steps; step += 1) {
      if (step > allowed) await new Promise<void>((resolve) => waiting.push(resolve));
      void task.progress((step / steps) * 100, { stage: `step ${step}` });
      await task.save(step);
    }
  };
  return {
    handlers: inProcess({ count: { run: count, repeatable: true } }),
    go(to: number) {
      allowed = to;
      for (const wake of waiting.splice(0)) wake();
    },
  };
}

interface Node extends RunningBridge {
  readonly redis: Redis;
  client(): TaskBridgeClient;
}

/** A node in this process, with a Redis client of its own. */
async function nodeOn(
  redisPort: number,
  prefix: string,
  { executor, ...rest }: Partial<TaskBridgeOptions> & { readonly executor: TaskExecutor },
  wrap: (store: Store) => Store = (store) => store,
): Promise<Node> {
  const redis = new Redis(redisPort);
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  const node = await bridgeOf(executor, {
    store: wrap(redisStore(redis, { prefix, logger: silent })),
    auth: () => ({ subject: 'ada' }),
    logger: silent,
    tasks: { reconcileMs: 50, leaseMs: LEASE_MS, effectRetryMs: 50 },
    ...rest,
  });
  return {
    ...node,
    redis,
    client() {
      const client = createTaskBridgeClient({ baseUrl: node.url, limits: { backoffBaseMs: 50, backoffMaxMs: 300, climbIntervalMs: 300 } });
      onTestFinished(() => client.close());
      return client;
    },
  };
}

describe('nodes on one Redis', () => {
  it('brings the last fact of a task whose message was dropped', async () => {
    const work = counting(5);
    const node = await nodeOn(
      server.port,
      `bridge-${(prefixes += 1)}`,
      { executor: work.handlers, live: { heartbeatMs: 300 } },
      (store) => ({
        ...store,
        tail: (listener) =>
          store.tail({
            committed: (taskId, entries, ended, before) => ended || listener.committed(taskId, entries, ended, before),
            interrupted: () => listener.interrupted(),
          }),
      }),
    );
    const client = node.client();
    const { taskId } = await client.start({ taskType: 'count' });
    const log: Log[number][] = [];
    for await (const fact of client.observe(taskId)) {
      log.push(fact);
      work.go(log.length);
    }
    proveWhole(log, 5);
  });

  it('brings every fact while the tail’s connection is killed again and again', async () => {
    const work = counting(60);
    const node = await nodeOn(server.port, `bridge-${(prefixes += 1)}`, { executor: work.handlers, live: { heartbeatMs: 20_000 } });
    const client = node.client();
    const { taskId } = await client.start({ taskType: 'count' });
    const log: Log[number][] = [];
    for await (const fact of client.observe(taskId)) {
      log.push(fact);
      if (log.length % 10 === 0) await node.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      work.go(log.length);
    }
    proveWhole(log, 60);
  });

  it('tells a client of a reset when Redis comes back with an older history, and goes on', async () => {
    const own = await startRedis('--appendonly', 'no');
    onTestFinished(() => own.stop());
    const work = counting(12);
    const node = await nodeOn(own.port, 'reset', { executor: work.handlers, live: { heartbeatMs: 300 } });
    const client = node.client();
    const { taskId } = await client.start({ taskType: 'count' });
    const observation = client.observe(taskId);
    const seen: string[] = [];
    observation.subscribe(({ connection }) => void seen.push(connection.continuity));
    const log: Log[number][] = [];
    for await (const fact of observation) {
      log.push(fact);
      const step = stepsOf(log).at(-1);
      if (step === undefined) work.go(4);
      // From here on nothing reaches the disk.
      if (step === 'step 4' && log.length === 5) {
        await node.redis.save();
        work.go(8);
      }
      if (step === 'step 8' && log.length === 9) {
        await own.kill();
        await own.restart();
        work.go(12);
      }
    }
    expect(seen).toContain('reset');
    expect(log.at(-1)?.type).toBe('TASK_COMPLETED');
    // What the client ends with is what the store has now, whatever it saw before.
    const stored = await node.facts(taskId);
    const afresh = log.slice(log.length - stored.length);
    expect(afresh).toEqual(stored);
    expect(stored.map(({ eventId }) => Number.parseInt(eventId, 10))).toEqual(stored.map((_, i) => i + 1));
  });

  it('takes no harm from a node whose clock is wrong by an hour, either way', async () => {
    for (const skewMs of [3_600_000, -3_600_000]) {
      const wrong: Clock = {
        now: () => Date.now() + skewMs,
        setTimeout: (fn, ms) => setTimeout(fn, ms),
        clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
      };
      const attempts: number[] = [];
      const executor = inProcess({
        slow: {
          repeatable: true,
          async run(task) {
            attempts.push(task.attempt);
            // Longer than a lease, and a question that is open for a second.
            for (let step = 1; step <= 15; step += 1) {
              await task.progress(step, { stage: `step ${step}` });
              await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 12));
            }
            return task.suspend('late', { reasonCode: 'LATE', allowedActions: ['yes'], expiresInMs: 1000 }).then(
              () => 'answered',
              () => 'expired',
            );
          },
        },
      });
      const prefix = `bridge-${(prefixes += 1)}`;
      const [right, other] = [
        await nodeOn(server.port, prefix, { executor }),
        await nodeOn(server.port, prefix, { executor, clock: wrong }),
      ];
      const ids = await Promise.all([right.start('slow'), other.start('slow'), right.start('slow'), other.start('slow')]);
      for (const [i, taskId] of ids.entries()) {
        await vi.waitFor(async () => expect((await right.snapshot(taskId)).state).toBe('completed'));
        const facts = await (i % 2 === 0 ? other : right).facts(taskId);
        expect(stepsOf(facts)).toEqual(Array.from({ length: 15 }, (_, step) => `step ${step + 1}`));
        for (const { createdAt } of facts) expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(HALF_AN_HOUR_MS);
        const [asked, closed] = [
          facts.find(({ type }) => type === 'TASK_SUSPENDED'),
          facts.find(({ type }) => type === 'TASK_SUSPENSION_CLOSED'),
        ];
        const openMs = Date.parse(closed?.createdAt ?? '') - Date.parse(asked?.createdAt ?? '');
        // By the store's own time; how much longer is this machine's affair, if it is not the hour.
        expect(openMs).toBeGreaterThan(800);
        expect(openMs).toBeLessThan(HALF_AN_HOUR_MS);
      }
      expect(attempts).toEqual([1, 1, 1, 1]);
      await Promise.all([right.bridge.close(), other.bridge.close()]);
    }
  });

  it('has the same number of connections with no viewer, 1000 of one task, and one of each of 1000 tasks', async () => {
    const wait: Handler = (task) =>
      new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error)));
    const prefix = `bridge-${(prefixes += 1)}`;
    const limits = {
      executor: inProcess({ wait }),
      live: { socketsPerOwnerMax: 5000, viewersPerOwnerMax: 5000 },
      tasks: { reconcileMs: 1000, leaseMs: 60_000 },
    };
    const node = await nodeOn(server.port, prefix, limits);
    const connections = async () =>
      String(await node.redis.client('LIST'))
        .trim()
        .split('\n').length;
    const [first = ''] = [await node.start('wait')];
    await watchAll(node.url, [first]);
    // The host's own client, and the tail, which is there when somebody listens.
    await eventually(async () => (await connections()) === 2);
    const with1 = await connections();
    await watchAll(
      node.url,
      Array.from({ length: 1000 }, () => first),
    );
    expect(await connections()).toBe(with1);
    const others: string[] = [];
    for (let i = 0; i < 1000; i += 50) others.push(...(await Promise.all(Array.from({ length: 50 }, () => node.start('wait')))));
    await watchAll(node.url, others);
    expect(await connections()).toBe(with1);
    // The host's own client, and the tail.
    expect(
      String(await node.redis.client('LIST'))
        .trim()
        .split('\n')
        .filter((line) => / sub=[1-9]/.test(line)),
    ).toHaveLength(1);
  });
});

/** Opens a WebSocket for each id; resolves when all are confirmed. They are closed when the test has finished. */
async function watchAll(url: string, taskIds: readonly string[]): Promise<void> {
  await Promise.all(
    taskIds.map(async (taskId) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`);
      onTestFinished(() => socket.terminate());
      await once(socket, 'open');
      socket.send(JSON.stringify({ action: 'subscribe', taskId }));
      const [confirmation] = (await once(socket, 'message')) as [Buffer];
      expect(JSON.parse(String(confirmation))).toMatchObject({ type: 'SUBSCRIPTION_CONFIRMED' });
    }),
  );
}
