import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { redisStore } from '../../adapters/redis/index.ts';
import { ReadCache } from '../../adapters/redis/read-cache.ts';
import type { Store } from '../../server/index.ts';
import { commitOf, factOf, factsOf, legible, noLimit, sampleTask } from '../conformance/store/samples.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
const clients: Redis[] = [];
let store: Store;
let other: Store;
beforeAll(async () => void (server = await startRedis('--appendonly', 'no')));
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
});
beforeEach(async () => {
  const open = async (): Promise<Store> => {
    const client = new Redis(server.port);
    clients.push(client);
    const opened = redisStore(client);
    await opened.open();
    return opened;
  };
  [store, other] = [await open(), await open()];
});

test('gives the very object of the last time while nobody has changed the task', async () => {
  const task = sampleTask();
  await store.create(task);
  const first = await store.load(task.taskId);
  expect(first?.fields).toEqual(task.fields);
  expect(await store.load(task.taskId)).toBe(first);
  expect(await store.load(task.taskId)).toBe(first);
});

test('reads the task anew after a commit of any node, one that changes no field too', async () => {
  const task = sampleTask();
  await store.create(task);
  const first = await store.load(task.taskId);
  await other.append(commitOf(task.taskId, 1, { fields: { more: '{}' } }));
  const second = await store.load(task.taskId);
  expect([second?.revision, second?.fields]).toEqual([2, { ...task.fields, more: '{}' }]);
  await store.append(commitOf(task.taskId, 2));
  const third = await store.load(task.taskId);
  expect([third?.revision, third === second]).toEqual([3, false]);
  expect(first?.revision).toBe(1);
});

test('knows nothing of a task that is gone, nor that it was there', async () => {
  const task = sampleTask();
  await store.create(task);
  await store.load(task.taskId);
  await other.remove(task.taskId, task.requestKey, 1);
  expect(await store.load(task.taskId)).toBeUndefined();
  await other.create({ ...task, fields: { ...task.fields, again: '1' } });
  expect((await store.load(task.taskId))?.fields.again).toBe('1');
});

test('gives the very page of the last time while nobody has changed the task, and reads it anew after a commit of any node', async () => {
  const task = sampleTask();
  await store.create(task);
  await store.append(commitOf(task.taskId, 1, { facts: factsOf(task.taskId, 1, 3) }));
  const page = await store.read(task.taskId, 2, noLimit);
  expect(legible(page?.entries ?? [])).toEqual(legible(factsOf(task.taskId, 2, 3)));
  expect(await store.read(task.taskId, 2, noLimit)).toBe(page);
  expect((await store.read(task.taskId, 2, { ...noLimit, facts: 1 }))?.entries).toHaveLength(1);
  expect((await store.read(task.taskId, 3, noLimit))?.entries).toHaveLength(1);
  await other.append(commitOf(task.taskId, 2, { facts: factsOf(task.taskId, 4, 4), ended: true, firstRetained: 3 }));
  const next = await store.read(task.taskId, 2, noLimit);
  expect(next && { ...next, entries: next.entries.length }).toMatchObject({
    entries: 2,
    firstEventId: factsOf(task.taskId, 3, 3)[0]?.eventId,
    lastEventId: factsOf(task.taskId, 4, 4)[0]?.eventId,
    ended: true,
  });
  expect(page?.entries).toHaveLength(2);
});

test('keeps no page that is large', async () => {
  const task = sampleTask();
  await store.create(task);
  const facts = [1, 2, 3].map((n) => factOf(task.taskId, n, { message: 'x'.repeat(8000) }));
  await store.append(commitOf(task.taskId, 1, { facts }));
  const whole = await store.read(task.taskId, 1, noLimit);
  expect([whole?.entries.length, (await store.read(task.taskId, 1, noLimit)) === whole]).toEqual([3, false]);
});

test('keeps few, those that were asked for last', () => {
  const reads = new ReadCache<object>();
  const kept = { at: '1;m;;0', value: {} };
  for (let n = 0; n < 256; n += 1) reads.keep(`${n}`, kept);
  expect(reads.again('0', kept)).toBe(kept.value);
  reads.keep('new', kept);
  expect(['0', '1', '2', 'new'].map((id) => reads.known(id) !== undefined)).toEqual([true, false, true, true]);
});
