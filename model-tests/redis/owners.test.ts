import { Command, type Cluster } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import type { Store } from 'taskbridge/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createScript, forget, type Script } from '../../adapters/redis/scripts/index.ts';
import { ownerTag } from '../../adapters/redis/keys.ts';
import { commitOf, sampleTask } from '../conformance/store/samples.ts';
import { WAIT_MS } from '../support/patience.ts';
import { startCluster, type RedisCluster } from './redis-cluster.ts';

const silent = { warn: () => undefined, error: () => undefined };
const his = { owner: 'ada', adds: { tasks: 1, bytes: 7 } };

let cluster: RedisCluster;
let redis: Cluster;
let store: Store;
let prefix = '';
let prefixes = 0;

beforeAll(async () => {
  cluster = await startCluster(3);
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  redis = cluster.client();
  prefix = `owners-${(prefixes += 1)}`;
  store = redisStore(redis, { prefix, logger: silent, commandTimeoutMs: WAIT_MS });
  await store.open();
  return async () => {
    await store.close();
    redis.disconnect();
  };
});

const slotOf = (tag: string): number => new Command('get', [`{${tag}}`]).getSlot();
const keyOf = (kind: string): string => `${prefix}:{${ownerTag('ada')}}:${kind}:ada`;
const namesOf = async (): Promise<string[]> => (await store.names('ada', 100)).map(({ requestKey }) => requestKey);
const sharesOf = async () => {
  const { tasks, bytes } = (await store.shares('ada')).shares;
  return { tasks, bytes };
};

/** Does something before a script is sent the next time. */
function before({ sha }: Script, step: () => Promise<void>): void {
  const send = redis.sendCommand.bind(redis);
  const spy = vi.spyOn(redis, 'sendCommand').mockImplementation((command, ...rest) => {
    if (String(command.args[0]) !== sha) return send(command, ...rest);
    spy.mockRestore();
    return step().then(() => send(command, ...rest));
  });
}

const lost = async (): Promise<void> => {
  throw new Error('The process has ended.');
};

describe('a name on a cluster', () => {
  it('without a task is of a create that ended in between: sent again, it makes the task, and is counted once', async () => {
    const task = sampleTask(his);
    before(createScript({ isCluster: true }), lost);
    await expect(store.create(task)).rejects.toThrow();
    expect([await namesOf(), await store.glance([task.requestKey], [])]).toEqual([[task.requestKey], [undefined]]);
    expect(await store.create(task)).toEqual({ created: true });
    expect([await namesOf(), await sharesOf()]).toEqual([[task.requestKey], { tasks: 1, bytes: 7 }]);
  });

  it('without a task is of a removal that ended in between, and is forgotten as it was seen', async () => {
    const task = sampleTask(his);
    await store.create(task);
    before(forget, lost);
    expect(await store.remove(task.taskId, task.requestKey, 1)).toBe('removed');
    const [name] = await store.names('ada', 1);
    expect([name?.requestKey, await store.glance([task.requestKey], [])]).toEqual([task.requestKey, [undefined]]);
    await store.forget('ada', name ?? { requestKey: '', at: 0 });
    expect(await namesOf()).toEqual([]);
  });

  it('stays where a request was sent again while its task was removed', async () => {
    const task = sampleTask(his);
    await store.create(task);
    before(forget, async () => void (await store.create(task)));
    expect(await store.remove(task.taskId, task.requestKey, 1)).toBe('removed');
    expect(await namesOf()).toEqual([task.requestKey]);
    expect((await store.load(task.taskId))?.revision).toBe(1);
  });

  it('that was lost is put back by a repeat, which adds nothing', async () => {
    const task = sampleTask(his);
    await store.create(task);
    await redis.del(keyOf('names'));
    expect(await store.create(task)).toEqual({ created: false, taskId: task.taskId });
    expect([await namesOf(), await sharesOf()]).toEqual([[task.requestKey], { tasks: 1, bytes: 7 }]);
  });

  it('that was lost does not make a repeat a new task of somebody who is full', async () => {
    const task = sampleTask({ ...his, sharesMax: { tasks: 1 } });
    await store.create(task);
    await redis.del(keyOf('names'));
    expect(await store.create(task)).toEqual({ created: false, taskId: task.taskId });
    expect(await store.create(sampleTask({ ...his, sharesMax: { tasks: 1 } }))).toEqual({ created: false, full: 'tasks' });
  });

  it('is not left by a create whose id is taken', async () => {
    const task = sampleTask({ owner: 'another' });
    await store.create(task);
    const { requestKey } = sampleTask({}, task.taskId.slice(0, 2));
    await expect(store.create({ ...task, ...his, requestKey })).rejects.toThrow(task.taskId);
    expect([await namesOf(), await sharesOf()]).toEqual([[], { tasks: 0, bytes: 0 }]);
  });
});

describe('a slot that moves', () => {
  it.each(['names', 'shares', 'names shares'])('loses nothing of an owner, his %s first', async (first) => {
    await store.create(sampleTask(his));
    const slot = slotOf(ownerTag('ada'));
    let written: Promise<unknown> | undefined;
    await cluster.move(slot, ((await cluster.ownerOf(slot)) + 1) % 3, {
      keys: first.split(' ').map(keyOf),
      async until() {
        const creates = Array.from({ length: 5 }, () => store.create(sampleTask(his)));
        written = Promise.all([...creates, store.count([{ owner: 'ada', by: { bytes: 100 } }])]);
      },
    });
    await written;
    expect([(await namesOf()).length, await sharesOf()]).toEqual([6, { tasks: 6, bytes: 142 }]);
  });

  it.each(['in:WAITING:sample', 'lists', 'in:DONE:sample lists'])('loses no task of a list, its %s first', async (first) => {
    const tasks = Array.from({ length: 3 }, () => sampleTask({}, '3f'));
    for (const task of tasks) await store.create(task);
    const [one, two, three] = tasks.map(({ taskId }) => taskId) as [string, string, string];
    await store.append(commitOf(three, 1, { state: 'DONE' }));
    const [, glanced = ''] = tasks.map(({ requestKey }) => requestKey);
    const slot = slotOf('3f');
    let written: Promise<unknown> | undefined;
    await cluster.move(slot, ((await cluster.ownerOf(slot)) + 1) % 3, {
      keys: first.split(' ').map((key) => `${prefix}:{3f}:${key}`),
      async until() {
        written = Promise.all([store.append(commitOf(one, 1, { state: 'DONE' })), store.counts(), store.glance([glanced], [])]);
      },
    });
    const [, counted, [seen]] = (await written) as [unknown, Awaited<ReturnType<Store['counts']>>, Awaited<ReturnType<Store['glance']>>];
    expect(seen?.taskId).toBe(two);
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect((await store.inState('DONE', 'sample', 9)).map(({ taskId }) => taskId).sort()).toEqual([one, three].sort());
    expect((await store.inState('WAITING', 'sample', 9)).map(({ taskId }) => taskId)).toEqual([two]);
    expect([...(await store.counts())].sort((a, b) => a.count - b.count)).toEqual([
      { state: 'WAITING', taskType: 'sample', count: 1 },
      { state: 'DONE', taskType: 'sample', count: 2 },
    ]);
  });
});
