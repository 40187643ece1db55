import { Redis } from 'ioredis';
import { inProcess } from 'taskbridge/adapters/in-process';
import { redisStore } from 'taskbridge/adapters/redis';
import type { Store } from 'taskbridge/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sampleTask } from '../conformance/store/samples.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { startRedis } from './redis-server.ts';

const GONE = 'Redis has lost everything that this store had in it';

async function emptiable() {
  const server = await startRedis('--appendonly', 'no');
  onTestFinished(() => server.stop());
  const admin = new Redis(server.port);
  admin.on('error', () => undefined);
  onTestFinished(() => admin.disconnect());
  function storeOn() {
    const error = vi.fn();
    const redis = new Redis(server.port);
    redis.on('error', () => undefined);
    onTestFinished(() => redis.disconnect());
    return { error, store: redisStore(redis, { logger: { warn: () => undefined, error } }) };
  }
  return { server, admin, storeOn };
}

/** What a node does all the time. */
const look = (store: Store) => vi.waitFor(() => store.now());

describe('a Redis that is emptied under its nodes', () => {
  it.each(['FLUSHALL', 'FLUSHDB', 'a restart without its data'])('by %s is told of once by each node', async (how) => {
    const { server, admin, storeOn } = await emptiable();
    const nodes = [storeOn(), storeOn()];
    const interrupted = vi.fn();
    for (const { store } of nodes) {
      await store.open();
      store.tail({ committed: () => undefined, interrupted });
      await look(store);
    }
    const id = await admin.hget('taskbridge:{00}:store', 'id');
    if (how.startsWith('FLUSH')) await admin.call(how);
    else {
      await server.kill();
      await server.restart();
    }
    for (let round = 0; round < 2; round += 1) for (const { store } of nodes) await look(store);
    for (const { error } of nodes) {
      expect(error).toHaveBeenCalledTimes(1);
      expect(error).toHaveBeenCalledWith(expect.stringContaining(GONE), expect.objectContaining({ was: id }));
    }
    expect(interrupted).toHaveBeenCalledTimes(2);
    for (const { store } of nodes) await store.close();
  });

  it('is the same store to a node that is restarted, and to one with another prefix another one', async () => {
    const { admin, storeOn } = await emptiable();
    for (let life = 0; life < 2; life += 1) {
      const { store, error } = storeOn();
      await store.open();
      await store.create(sampleTask());
      await look(store);
      await store.close();
      expect(error).not.toHaveBeenCalled();
    }
    expect(await admin.keys('*:store')).toEqual(['taskbridge:{00}:store']);
  });

  it('makes a task anew for a request that is sent again, and ends it', async () => {
    const { admin, storeOn } = await emptiable();
    const { store, error } = storeOn();
    const node = await bridgeOf(inProcess({ greet: async () => 'hello' }), {
      store,
      auth: () => ({ subject: 'ada' }),
      tasks: { reconcileMs: 100 },
      logger: { warn: () => undefined, error },
    });
    const create = async () => {
      const response = await fetch(`${node.url}/api/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ clientRequestId: 'one', taskType: 'greet', input: {} }),
      });
      return { status: response.status, taskId: ((await response.json()) as { taskId: string }).taskId };
    };
    const first = await create();
    expect(first.status).toBe(201);
    await vi.waitFor(async () => expect((await node.snapshot(first.taskId)).state).toBe('completed'));
    await admin.flushall();
    await vi.waitFor(() => expect(error).toHaveBeenCalledWith(expect.stringContaining(GONE), expect.anything()));
    const again = await create();
    expect(again.status).toBe(201);
    expect(again.taskId).not.toBe(first.taskId);
    await vi.waitFor(async () => expect((await node.snapshot(again.taskId)).state).toBe('completed'));
  });
});
