import { Redis } from 'ioredis';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments } from 'taskbridge/adapters/memory';
import { redisStore } from 'taskbridge/adapters/redis';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Logger } from 'taskbridge/server';
import { sampleTask } from '../conformance/store/samples.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
});
afterAll(() => server.stop());

function client(): Redis {
  const redis = new Redis(server.port);
  onTestFinished(() => redis.disconnect());
  return redis;
}

test('a host whose Redis is at maxmemory says 503, and is ready again once a write succeeds', async () => {
  const redis = client();
  const { url, start } = await bridgeOf(inProcess({ keep: async () => 'kept' }), { store: redisStore(redis, { prefix: 'full' }) });
  const ready = async () => {
    const response = await fetch(`${url}/ready`);
    return [response.status, (await response.json()) as unknown];
  };
  await start('keep');
  expect(await ready()).toEqual([200, { status: 'ready', details: { store: { status: 'ready', name: 'redis' } } }]);
  await redis.config('SET', 'maxmemory', '100kb');
  await expect(start('keep')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await ready()).toEqual([
    503,
    { status: 'not_ready', details: { store: { status: 'not_ready', name: 'redis', writes: 'failing' } } },
  ]);
  await redis.config('SET', 'maxmemory', '0');
  await start('keep');
  expect((await ready())[0]).toBe(200);
});

test('a store that is full still says which one it is', async () => {
  const redis = client();
  const store = redisStore(redis, { prefix: 'named' });
  await store.open();
  onTestFinished(() => store.close());
  const id = await store.id();
  await redis.config('SET', 'maxmemory', '100kb');
  onTestFinished(async () => void (await redis.config('SET', 'maxmemory', '0')));
  expect(await store.id()).toBe(id);
  await expect(store.create(sampleTask())).rejects.toThrow('maxmemory');
});

test('a store that was flushed under a running node is another one, and the files of its tasks are kept', async () => {
  const redis = client();
  const store = redisStore(redis, { prefix: 'flushed' });
  const clock = fakeClock();
  const attachments = memoryAttachments({ clock });
  const warn = vi.fn<Logger['warn']>();
  const { bridge } = await bridgeOf(inProcess({ keep: async () => 'kept' }), {
    store,
    attachments: { ...attachments, shared: true },
    clock,
    logger: { warn, error: vi.fn() },
  });
  const create = async (clientRequestId: string) => {
    const task = { clientRequestId, taskType: 'keep', attachments: [{ fileName: 'a', content: 'a' }] };
    return `${(await bridge.tasks({ subject: 'alice' }).start(task)).taskId}/0`;
  };
  const prune = async () => {
    clock.advance(2 * 60 * 60 * 1000);
    return (await bridge.prune()).attachmentsSwept;
  };
  const before = [await create('one'), await create('two')];
  const id = await store.id();
  expect([await prune(), await prune()]).toEqual([0, 0]);
  await redis.flushall();
  expect(await store.id()).not.toBe(id);
  await create('three');
  expect([await prune(), await prune(), await prune()]).toEqual([0, 0, 0]);
  for (const key of before) await attachments.open(key);
  expect(warn.mock.calls.filter(([message]) => message.includes('of another store'))).toHaveLength(1);
});
