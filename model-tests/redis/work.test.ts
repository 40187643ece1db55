import { Redis } from 'ioredis';
import { redisStore, type RedisStoreOptions } from 'taskbridge/adapters/redis';
import type { Store } from 'taskbridge/server';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Plan } from '../../server/ports/index.ts';
import { atRest, commitOf, factOf, heldBy, heldOf, look, sampleTask, takeAll, wakes, wanted } from '../conformance/store/samples.ts';
import { patience, WAIT_MS } from '../support/patience.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** So many looks find what `next` does not know. */
const LOOKS = 10;

let server: RedisServer;
let redis: Redis;
let prefix = '';
let prefixes = 0;
let stores: Store[] = [];

beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
  redis = new Redis(server.port);
  redis.on('error', () => undefined);
});
afterEach(async () => {
  for (const store of stores) await store.close();
  stores = [];
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function open(options: RedisStoreOptions = {}): Promise<Store> {
  prefix = `work-${(prefixes += 1)}`;
  const store = redisStore(redis, { prefix, commandTimeoutMs: WAIT_MS, ...options });
  stores.push(store);
  await store.open();
  return store;
}

const keyOf = (bucket: string, name: string): string => `${prefix}:{${bucket}}:${name}`;

/** Creates a task with a plan. */
async function planned(store: Store, plan: Plan, bucket = '3f', part: Partial<ReturnType<typeof sampleTask>> = {}): Promise<string> {
  const task = sampleTask({ plan, ...part }, bucket);
  expect(await store.create(task)).toEqual({ created: true });
  return task.taskId;
}

/** Looks again and again until something is given. */
async function takeSoon(store: Store, looks: number) {
  for (let i = 0; i < looks; i += 1) {
    const taken = await store.take(look());
    if (taken.due.length + taken.ready.length > 0) return taken;
  }
  return undefined;
}

describe('a task of 0.1.0', () => {
  /** Writes a task as 0.1.0 does. */
  async function old(due: number | null, bucket = '3f'): Promise<string> {
    const { taskId } = sampleTask({}, bucket);
    await redis.hset(keyOf(bucket, `task:${taskId}`), 'at', '1;mark;;0', 'first', '1', 'due', due ?? '', 'f:head', 'x');
    if (due !== null) await redis.zadd(keyOf(bucket, 'due'), due, taskId);
    return taskId;
  }
  const hashOf = (taskId: string) => redis.hgetall(keyOf(taskId.slice(0, 2), `task:${taskId}`));
  const dueOf = (taskId: string) => redis.zscore(keyOf(taskId.slice(0, 2), 'due'), taskId);

  it('is shown when its time has come, to one who looks, and again when it was hidden for its time', async () => {
    const store = await open();
    const now = await store.now();
    const [over, later] = [await old(now - 1), await old(now + 1e9)];
    expect(await store.take(look({ types: [], readyMax: 0, hideMs: 50 }))).toEqual({ due: [over], ready: [] });
    await vi.waitFor(async () => expect(await store.take(look())).toEqual({ due: [over], ready: [] }));
    expect(await store.load(later)).toEqual({ revision: 1, fields: { head: 'x' } });
    expect(await takeAll(store)).toEqual({ due: [], ready: [] });
  });

  it('is found when an old node writes it while nodes of today look', async () => {
    const store = await open();
    for (let i = 0; i < LOOKS; i += 1) await store.take(look());
    const taskId = await old(1, 'a7');
    expect(await takeSoon(store, LOOKS)).toEqual({ due: [taskId], ready: [] });
    // From now on at every look.
    const next = await old(1, 'a7');
    expect(await takeSoon(store, 1)).toEqual({ due: [next], ready: [] });
  });

  it('stays one as long as its holder has a lease of a date, and is one of today after that', async () => {
    const store = await open();
    const now = await store.now();
    const taskId = await old(now + 5e8);
    const dated: Plan = { wakeAt: null, work: { heldBy: 'old-node', until: now + 6e8 } };
    await store.load(taskId);
    expect(await store.append(commitOf(taskId, 1, { plan: dated, facts: [factOf(taskId, 1)] }))).toBe('committed');
    expect(await hashOf(taskId)).toMatchObject({ due: String(now + 6e8) });
    expect(Object.keys(await hashOf(taskId)).sort()).toEqual(['at', 'due', 'f:head', 'first']);
    expect(await dueOf(taskId)).toBe(String(now + 6e8));
    expect(await store.leases()).toEqual([]);

    expect(await store.append(commitOf(taskId, 2, { plan: { ...dated, wakeAt: now - 5 } }))).toBe('committed');
    expect(await dueOf(taskId)).toBe(String(now - 5));
    expect(await takeAll(store)).toEqual({ due: [taskId], ready: [] });

    expect(await store.append(commitOf(taskId, 3, { plan: heldBy('new-node') }))).toBe('committed');
    expect(await hashOf(taskId)).toMatchObject({ plan: ';;new-node' });
    expect([await dueOf(taskId), (await hashOf(taskId)).due]).toEqual([null, undefined]);
    expect(await heldOf(store, 'new-node')).toEqual([taskId]);

    // A task of today never goes back, whatever is planned.
    expect(await store.append(commitOf(taskId, 4, { plan: { wakeAt: null, work: { heldBy: 'old-node', until: now - 1 } } }))).toBe(
      'committed',
    );
    expect(await dueOf(taskId)).toBeNull();
    expect([await heldOf(store, 'new-node'), await heldOf(store, 'old-node')]).toEqual([[], []]);
    expect(await takeAll(store)).toEqual({ due: [taskId], ready: [] });
  });

  it('is shown as due where its work is wanted, since nobody told the store its type', async () => {
    const store = await open();
    const now = await store.now();
    const taskId = await old(null);
    await store.load(taskId);
    await store.append(commitOf(taskId, 1, { plan: wanted(now) }));
    expect(await store.take(look({ types: [], readyMax: 0 }))).toEqual({ due: [taskId], ready: [] });
    expect(await takeAll(store)).toEqual({ due: [], ready: [] });
    await store.append(commitOf(taskId, 2, { plan: wanted(now) }));
    expect(await takeAll(store)).toEqual({ due: [taskId], ready: [] });
    await store.append(commitOf(taskId, 3, { plan: atRest }));
    expect(await redis.keys(`${prefix}:*`)).not.toContain(keyOf('3f', 'clock'));
  });

  it('goes with all that 0.1.0 wrote of it', async () => {
    const store = await open();
    const taskId = await old(5);
    await store.load(taskId);
    expect(await store.remove(taskId, 'r'.repeat(64), 1)).toBe('removed');
    expect((await redis.keys(`${prefix}:*`)).filter((key) => !key.endsWith(':store'))).toEqual([]);
  });

  it('has its time in `due` alone, and a task of today has it nowhere', async () => {
    const store = await open();
    const taskId = await planned(store, { wakeAt: 5, work: { heldBy: 'a-node', until: 4 } });
    expect([await dueOf(taskId), (await hashOf(taskId)).due]).toEqual([null, undefined]);
    expect(await hashOf(taskId)).toMatchObject({ plan: '4;;', kind: 'sample;somebody;WAITING' });
  });
});

describe('what is ripe', () => {
  it('is found at the first look of a node though `next` has forgotten it', async () => {
    const store = await open();
    const now = await store.now();
    const [due, ready] = [await planned(store, wakes(now), '00'), await planned(store, wanted(now), '3e')];
    for (const bucket of ['00', '3e']) await redis.del(keyOf(bucket, 'next'));
    expect(await store.take(look())).toEqual({ due: [due], ready: [ready] });
  });

  it('is found in a bucket that was lost from `next` after the first look, due or wanted', async () => {
    const store = await open();
    await store.take(look());
    const now = await store.now();
    const due = await planned(store, wakes(now), '11');
    await redis.del(keyOf('11', 'next'));
    expect(await takeSoon(store, LOOKS)).toEqual({ due: [due], ready: [] });

    const ready = await planned(store, wanted(now), '77');
    await redis.del(keyOf('77', 'next'));
    expect(await takeSoon(store, LOOKS)).toEqual({ due: [], ready: [ready] });
  });

  it.each(['ready:sample', 'next', 'turns:sample'])('is queued again when its bucket has lost %s', async (lost) => {
    const store = await open();
    const now = await store.now();
    const ready = [await planned(store, wanted(now)), await planned(store, wanted(now))];
    const [first] = (await store.take(look({ readyMax: 1 }))).ready;
    const rest = ready.filter((taskId) => taskId !== first);
    await redis.del(keyOf('3f', lost));
    // It is looked at again, at the latest two minutes after it was queued.
    const score = Number(await redis.zscore(keyOf('3f', 'wanted'), rest[0] ?? ''));
    expect(score).toBeGreaterThan(now);
    expect(score).toBeLessThanOrEqual((await store.now()) + 120_000);
    await redis.zadd(keyOf('3f', 'wanted'), now, rest[0] ?? '');
    expect(await takeSoon(store, LOOKS)).toEqual({ due: [], ready: rest });
  });

  it('keeps its place in the queue when a commit leaves its plan, and gives it up with its work', async () => {
    const store = await open();
    const now = await store.now();
    const [a, b, c] = [await planned(store, wanted(now - 3)), await planned(store, wanted(now - 2)), await planned(store, wanted(now - 1))];
    expect((await store.take(look({ readyMax: 1 }))).ready).toEqual([a]);
    await store.append(commitOf(b, 1, { plan: wanted(now - 2), facts: [factOf(b, 1)] }));
    await store.append(commitOf(c, 1, { plan: { wakeAt: now + 1e9, work: { readyAt: now - 1 } } }));
    expect((await store.take(look({ readyMax: 1 }))).ready).toEqual([b]);
    await store.append(commitOf(c, 2, { plan: atRest }));
    expect(await takeAll(store)).toEqual({ due: [], ready: [] });
  });

  it('and due does not hide what stands behind it and is ready, however much is due', async () => {
    const store = await open();
    const now = await store.now();
    await Promise.all(Array.from({ length: 700 }, (_, i) => planned(store, wakes(now - 1000 - i))));
    const ready = await planned(store, wanted(now));
    expect((await store.take(look({ dueMax: 1, readyMax: 1 }))).ready).toEqual([ready]);
    expect((await takeAll(store)).due).toHaveLength(699);
  });

  it('of one type has no queue of another behind it', async () => {
    const store = await open();
    const now = await store.now();
    for (let i = 0; i < 30; i += 1) await planned(store, wanted(now), '3f', { taskType: 'a;%{}' });
    const other = await planned(store, wanted(now), '3f', { taskType: 'b' });
    const given: string[] = [];
    for (let i = 0; i < 31 && !given.includes(other); i += 1)
      given.push(...(await store.take(look({ types: ['a;%{}', 'b'], readyMax: 2 }))).ready);
    expect(given.length).toBeLessThan(5);
    expect((await takeAll(store, look({ types: 'any' }))).ready).toHaveLength(31 - given.length);
  });

  it('has its turn in each bucket, however much waits in one of them', async () => {
    const store = await open();
    const now = await store.now();
    await Promise.all(Array.from({ length: 300 }, () => planned(store, wanted(now - 100), '00', { owner: 'greedy' })));
    const others = await Promise.all(['01', '7f', 'ff'].map((bucket) => planned(store, wanted(now), bucket)));
    const given = new Set<string>();
    // One each: whose turn it is begins at the next bucket every time.
    for (let i = 0; i < 256; i += 1) for (const taskId of (await store.take(look({ readyMax: 1 }))).ready) given.add(taskId);
    expect(others.filter((taskId) => !given.has(taskId))).toEqual([]);
  });

  it('leaves nothing behind when all of it is gone', async () => {
    const store = await open();
    const now = await store.now();
    for (const plan of [wanted(now), wakes(now), heldBy('a-node'), { wakeAt: now + 1e9, work: { readyAt: now + 1e9 } }])
      for (const bucket of ['00', '80']) {
        const task = sampleTask({ plan }, bucket);
        await store.create(task);
        await store.take(look({ readyMax: 0 }));
        expect(await store.remove(task.taskId, task.requestKey, 1)).toBe('removed');
      }
    for (const lease of await store.leases()) expect(await store.dropLease(lease)).toBe(true);
    for (let i = 0; i < LOOKS; i += 1) await store.take(look());
    expect(await store.counts()).toEqual([]);
    // What `next` has too early is set right when that time has come.
    expect((await redis.keys(`${prefix}:*`)).filter((key) => !/:(next|store)$/.test(key))).toEqual([]);
  });
});

describe('a lease on Redis', () => {
  const outcomes = async (store: Store, confirmed: number, beat: number) => {
    const renewals = await store.renew('one', confirmed, beat);
    expect(renewals).toHaveLength(256);
    return [...new Set(renewals.map(({ outcome }) => outcome))].sort();
  };

  it('is reset where Redis has lost it, and where it has an older one', async () => {
    const store = await open();
    expect(await outcomes(store, 0, 1)).toEqual(['renewed']);
    await redis.del(keyOf('3f', 'nodes'));
    await redis.hset(keyOf('40', 'nodes'), 'one', '0');
    const renewals = await store.renew('one', 1, 2);
    expect(
      renewals
        .filter(({ outcome }) => outcome === 'reset')
        .map(({ bucket }) => bucket)
        .sort(),
    ).toEqual(['3f', '40']);
    await redis.flushall();
    expect(await outcomes(store, 2, 3)).toEqual(['reset']);
    expect(await outcomes(store, 3, 4)).toEqual(['renewed']);
  });

  it('is unanswered while Redis is silent, and told so in time', async () => {
    const store = await open({ commandTimeoutMs: patience(200) });
    expect(await outcomes(store, 0, 1)).toEqual(['renewed']);
    server.freeze();
    try {
      expect(await outcomes(store, 1, 2)).toEqual(['unanswered']);
      await expect(store.leases()).rejects.toThrow('did not answer');
      await expect(store.take(look())).rejects.toThrow('did not answer');
    } finally {
      server.thaw();
    }
    await vi.waitFor(async () => expect(await outcomes(store, 1, 3)).toEqual(['renewed']));
  });
});
