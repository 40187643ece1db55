import { rm } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import type { Store } from 'taskbridge/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { commitOf, factOf, readAll, sampleTask, taskWithFacts } from '../conformance/store/samples.ts';
import { freePort } from '../support/free-port.ts';
import { WAIT_MS } from '../support/patience.ts';
import { otherBuilds, ownBuild } from './redis-builds.ts';
import { startRedisOf, type RedisServer } from './redis-server.ts';

/** Why a server refuses every write, and how it comes to that and out of it. */
interface Refusing {
  readonly code: string;
  begin(admin: Redis, server: RedisServer): Promise<unknown>;
  end(admin: Redis, server: RedisServer): Promise<unknown>;
}

const refusing: readonly Refusing[] = [
  {
    code: 'OOM',
    begin: (admin) => admin.config('SET', 'maxmemory', '1'),
    end: (admin) => admin.config('SET', 'maxmemory', '0'),
  },
  {
    code: 'MISCONF',
    // A snapshot that cannot be written is what a full disk comes to.
    async begin(admin, { folder }) {
      await admin.config('SET', 'save', '3600 1');
      await rm(folder, { recursive: true });
      await admin.bgsave();
      await expect.poll(async () => String(await admin.info('persistence'))).toContain('rdb_last_bgsave_status:err');
    },
    end: (admin) => admin.config('SET', 'save', ''),
  },
  {
    code: 'NOREPLICAS',
    begin: (admin) => admin.config('SET', 'min-replicas-to-write', '1'),
    end: (admin) => admin.config('SET', 'min-replicas-to-write', '0'),
  },
  {
    code: 'READONLY',
    begin: async (admin) => admin.replicaof('127.0.0.1', await freePort()),
    end: (admin) => admin.replicaof('NO', 'ONE'),
  },
];

describe.each([ownBuild, ...otherBuilds])('$name', (build) => {
  const warn = vi.fn();
  const logger = { warn, error: () => undefined };
  let server: RedisServer;
  let admin: Redis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedisOf(build, '--appendonly', 'no');
    [admin, redis] = [new Redis(server.port), new Redis(server.port)];
    for (const client of [admin, redis]) client.on('error', () => undefined);
  });
  beforeEach(() => warn.mockClear());
  afterAll(async () => {
    for (const client of [admin, redis]) client.disconnect();
    await server.stop();
  });

  async function storeOn(): Promise<Store> {
    const store = redisStore(redis, { logger, commandTimeoutMs: WAIT_MS, openTimeoutMs: WAIT_MS });
    await store.open();
    onTestFinished(() => store.close());
    return store;
  }

  it.each(refusing)(
    'throws $code for every write and writes nothing, is not ready, and goes on by itself',
    async ({ code, begin, end }) => {
      const store = await storeOn();
      const tasks = [await taskWithFacts(store, 1), await taskWithFacts(store, 1)];
      const probe = redisProbe(redis);
      await begin(admin, server);
      try {
        // Both in one call, whose reply is a list.
        const appends = await Promise.allSettled(
          tasks.map(({ taskId }) => store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)], plan: { wakeAt: 1, work: null } }))),
        );
        for (const append of appends) expect(append).toMatchObject({ status: 'rejected', reason: { code } });
        await vi.waitFor(async () => expect(await store.create(sampleTask()).catch((error: unknown) => error)).toMatchObject({ code }));
        await vi.waitFor(async () => {
          const { ready, reason } = await probe.check();
          expect(ready).toBe(false);
          expect(reason).toMatchObject({ code });
        });
        await vi.waitFor(async () => expect((await readAll(store, tasks[0]?.taskId ?? '')).entries).toHaveLength(1));
        expect(await store.take({ types: 'any', dueMax: 10, readyMax: 10, hideMs: 1000 })).toEqual({ due: [], ready: [] });
      } finally {
        await end(admin, server);
      }
      await vi.waitFor(async () => expect(await probe.check()).toMatchObject({ ready: true }));
      for (const { taskId } of tasks) expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('committed');
    },
  );

  it('opens while it has no memory, says so, and removes what is old all the same', async () => {
    const { taskId, requestKey } = await taskWithFacts(await storeOn(), 1);
    await admin.config('SET', 'maxmemory', '1');
    try {
      const store = await storeOn();
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('takes no writes now'), expect.anything());
      await store.load(taskId);
      expect(await store.remove(taskId, requestKey, 2)).toBe('removed');
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
  });

  it('lets whoever creates next have a request key whose task is gone', async () => {
    const store = await storeOn();
    const { taskId, requestKey } = await taskWithFacts(store, 1);
    const bucket = taskId.slice(0, 2);
    await admin.del(`taskbridge:{${bucket}}:task:${taskId}`);
    const next = sampleTask({ requestKey });
    expect(await store.create(next)).toEqual({ created: true });
    expect(await store.create(sampleTask({ requestKey }))).toEqual({ created: false, taskId: next.taskId });
  });
});
