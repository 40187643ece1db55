import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LoadedTasks } from '../../adapters/redis/loads.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import type { Store } from '../../server/index.ts';
import { commitOf, sampleTask } from '../conformance/store/samples.ts';
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

test('keeps few and small ones, those that were asked for last', () => {
  const loads = new LoadedTasks();
  const kept = { at: '1;m;;0', loaded: { revision: 1, fields: {} } };
  for (let n = 0; n < 256; n += 1) loads.keep(`${n}`, kept, 10);
  loads.keep('0', kept, 10);
  loads.keep('new', kept, 10);
  expect(['0', '1', '2', 'new'].map((id) => loads.known(id) !== undefined)).toEqual([true, false, true, true]);
  loads.keep('new', kept, 16 * 1024 + 1);
  expect(loads.known('new')).toBeUndefined();
});
