import { Redis } from 'ioredis';
import { redisStore, type RedisStoreOptions } from 'taskbridge/adapters/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Fence, FlushOutcome, LaneChanges, Lanes, Store } from '../../server/ports/index.ts';
import { asBytes, asText, firstEpoch, laneOf, listening } from '../conformance/store/lane-samples.ts';
import { commitOf, factOf, sampleTask } from '../conformance/store/samples.ts';
import { seededRandom } from '../conformance/suite/seeded-random.ts';
import { patience, WAIT_MS } from '../support/patience.ts';
import { startCluster } from './redis-cluster.ts';
import { startRedisProxy } from './redis-proxy.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
let prefixes = 0;
let ends: (() => Promise<unknown> | void)[] = [];
const silent = { warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  server = await startRedis('--appendonly', 'no');
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});
afterAll(() => server.stop());

function clientTo(port: number): Redis {
  const client = new Redis(port);
  client.on('error', () => undefined);
  ends.push(() => client.disconnect());
  return client;
}

async function storeOn(redis: Redis, options: RedisStoreOptions = {}): Promise<Store> {
  const store = redisStore(redis, { prefix: `lanes-${(prefixes += 1)}`, logger: silent, commandTimeoutMs: WAIT_MS, ...options });
  await store.open();
  ends.push(() => store.close());
  return store;
}

function lanesOf({ lanes }: Store): Lanes {
  if (!lanes) throw new Error('The store keeps no lanes.');
  return lanes;
}

/** A task whose first lane, or more of them, is open. */
async function withLane(store: Store, count = 1, bucket?: string) {
  const { taskId, requestKey, ...rest } = sampleTask({}, bucket);
  await store.create({ taskId, requestKey, ...rest });
  const fence = (part: Partial<Fence> = {}): Fence => ({
    taskId,
    lane: laneOf(1),
    epoch: firstEpoch(),
    attempt: 1,
    node: 'a-node',
    ...part,
  });
  const open = Array.from({ length: count }, (_, i) => fence({ lane: laneOf(i + 1) }));
  let revision = 1;
  const commit = async (lanes: LaneChanges, part: Parameters<typeof commitOf>[2] = {}) => {
    const answer = await store.append(commitOf(taskId, revision, { ...part, lanes }));
    if (answer === 'committed') revision += 1;
    return answer;
  };
  expect(await commit({ open })).toBe('committed');
  return { taskId, requestKey, fence, commit, revision: () => revision };
}

const write = async (store: Store, fence: Fence, at: number, text: string): Promise<FlushOutcome | undefined> =>
  (await lanesOf(store).flush([{ fence, at, bytes: asBytes(text) }]))[0];

async function textOf(store: Store, { taskId, lane }: Fence): Promise<string | undefined> {
  return asText((await lanesOf(store).readPart(taskId, lane, 0, 1e9))?.bytes);
}

describe('lanes on Redis', () => {
  it('take the flushes of one turn in one call of 32, and let none suffer from another', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const tasks = await Promise.all(Array.from({ length: 40 }, () => withLane(store)));
    const [, , , fourth, , sixth] = tasks;
    if (!fourth || !sixth) throw new Error('There are fewer tasks than were made.');
    const broken = fourth.fence();
    const [key = ''] = await redis.keys(`lanes-${prefixes}:*:parts:${broken.taskId}`);
    const laneKey = `${key.replace(':parts:', ':lane:')}:${broken.lane}`;
    await redis.hset(laneKey, 'no', 'string');
    const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    const before = await calls();
    const answers = await Promise.allSettled(tasks.map(({ fence }) => write(store, fence(), 0, 'text')));
    expect(await calls()).toBe(before + 2);
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(answers[3]).toMatchObject({ status: 'rejected', reason: { code: 'WRONGTYPE' } });
    expect(await textOf(store, sixth.fence())).toBe('text');
    // A list is one call too, and rejects as a whole where one of it does: the others were written, and are known again.
    const flushes = tasks.slice(2, 6).map(({ fence }) => ({ fence: fence(), at: 4, bytes: asBytes('more') }));
    await expect(lanesOf(store).flush(flushes)).rejects.toThrow('WRONGTYPE');
    await redis.del(laneKey);
    expect(await lanesOf(store).flush(flushes)).toEqual(['ok', { at: 0 }, 'ok', 'ok']);
    expect(await textOf(store, sixth.fence())).toBe('textmore');
  });

  it('leave no key behind when their task is removed, or one of them is dropped', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const { taskId, requestKey, fence, commit, revision } = await withLane(store, 40);
    const all = Array.from({ length: 40 }, (_, i) => fence({ lane: laneOf(i + 1) }));
    for (const each of all) await write(store, each, 0, 'text');
    const keys = async (kind: string) => (await redis.keys(`*:${kind}:${taskId}*`)).length;
    expect([await keys('lane'), await keys('parts')]).toEqual([40, 1]);
    const close = await Promise.all(
      all.slice(0, 20).map(async (each, i) => ({ lane: each.lane, bytes: Number(await lanesOf(store).seal(each)), keeps: i < 10 })),
    );
    expect(await commit({ close })).toBe('committed');
    expect(await keys('lane')).toBe(30);
    // By a node that has seen nothing of it.
    const other = await storeOn(clientTo(server.port), { prefix: `lanes-${prefixes}` });
    expect(await other.remove(taskId, requestKey, revision())).toBe('removed');
    expect(await redis.keys(`*${taskId}*`)).toEqual([]);
    expect(await write(store, fence({ lane: laneOf(31) }), 4, 'x')).toBe('fenced');
    expect(await redis.keys(`*${taskId}*`)).toEqual([]);
  });

  it('write all of a flush, a seal and a commit or nothing where Redis has no memory left, and say so', async () => {
    const redis = clientTo(server.port);
    const store = await storeOn(redis);
    const { taskId, fence, commit } = await withLane(store);
    const value = fence({ lane: laneOf(2), latest: true });
    await commit({ open: [value] });
    for (const each of [fence(), value]) await write(store, each, 0, 'text');
    await redis.config('SET', 'maxmemory', '1');
    try {
      for (const [each, at] of [[fence(), 4] as const, [value, 1] as const])
        await expect(write(store, each, at, 'more')).rejects.toMatchObject({ code: 'OOM' });
      await expect(lanesOf(store).seal(fence())).rejects.toThrow('OOM');
      await expect(commit({ open: [fence({ lane: laneOf(3) })] })).rejects.toThrow('OOM');
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect((await lanesOf(store).newest([taskId]))[0]?.lanes.map(({ length }) => length)).toEqual([4, 1]);
    expect([await write(store, fence(), 4, '+'), await write(store, value, 1, 'new')]).toEqual(['ok', 'ok']);
    expect([await textOf(store, fence()), await textOf(store, value)]).toEqual(['text+', 'new']);
  });

  it('announce more bytes than a message has by the place after them, and tell text behind the facts that are read', async () => {
    const store = await storeOn(clientTo(server.port), { messageBytesMax: 1000 });
    const { taskId, fence, commit } = await withLane(store);
    const value = fence({ lane: laneOf(2), latest: true });
    const heard = listening();
    const tail = store.tail(heard.listener);
    await tail.watch(taskId);
    await tail.watchParts?.(taskId);
    const large = { message: 'x'.repeat(100_000) };
    await commit({ open: [value] }, { facts: [factOf(taskId, 1, large), factOf(taskId, 2, large)] });
    await write(store, fence(), 0, 'a');
    await write(store, fence(), 1, 'x'.repeat(1001));
    await write(store, fence(), 1002, 'b');
    await write(store, value, 0, 'x'.repeat(1001));
    await commit({}, { facts: [factOf(taskId, 3)] });
    await heard.lines(7);
    const line = (n: number, at: string, text: string) => `${laneOf(n)} first at ${at}: ${text}`;
    const grown = [line(1, '0', 'a'), line(1, '1002', ''), line(1, '1002', 'b')];
    expect(heard.told).toEqual(['fact 1', 'fact 2', ...grown, line(2, '1, a value', ''), 'fact 3']);
  });

  it('are read in large runs past the scripts, each of one moment while they grow and are sealed', async () => {
    const store = await storeOn(clientTo(server.port));
    const { taskId, fence } = await withLane(store);
    const text = 'It grows, and who reads it meanwhile has a beginning of it. '.repeat(3000);
    const step = 7001;
    let at = 0;
    const growing = (async () => {
      for (; at < text.length; at += step) await write(store, fence(), at, text.slice(at, at + step));
      return lanesOf(store).seal(fence());
    })();
    let isSealed = false;
    void growing.then(() => (isSealed = true));
    let large = 0;
    for (const from of [0, 1, 20_000]) {
      do {
        for (const most of [16 * 1024, 16 * 1024 + 1, 1e9]) {
          const page = await lanesOf(store).readPart(taskId, fence().lane, from, most);
          const read = asText(page?.bytes) ?? '';
          expect(read).toBe(text.slice(from, Math.min(page?.length ?? 0, from + most)));
          if (read.length > 16 * 1024) large += 1;
        }
      } while (!isSealed && from === 0);
    }
    expect([await growing, large > 4]).toEqual([text.length, true]);
  });

  it('have each flush once while connections are reset again and again, by whoever sends it again', async () => {
    const proxy = await startRedisProxy(server.port);
    ends.push(() => proxy.close());
    const store = await storeOn(clientTo(proxy.port));
    const { fence } = await withLane(store);
    const random = seededRandom('resets');
    let text = '';
    for (let flushes = 0; flushes < 150; flushes += 1) {
      const next = random.hex(random.between(1, 40));
      const sending = write(store, fence(), text.length, next);
      if (random.odds(0.2)) proxy.reset();
      await vi.waitFor(async () => expect(await sending.catch(() => write(store, fence(), text.length, next))).toBe('ok'));
      text += next;
    }
    expect(await vi.waitFor(() => textOf(store, fence()))).toBe(text);
  });

  it('that a fail-over has shortened tell their writer, and are never spliced when they have grown again', async () => {
    const [master, replica] = await Promise.all([
      startRedis('--appendonly', 'no'),
      startRedis('--appendonly', 'no', '--repl-diskless-sync-delay', '0'),
    ]);
    const proxy = await startRedisProxy(master.port);
    ends.push(async () => {
      await proxy.close();
      await Promise.all([master.stop(), replica.stop()]);
    });
    const onReplica = clientTo(replica.port);
    await onReplica.replicaof('127.0.0.1', master.port);
    await expect.poll(async () => String(await onReplica.info('replication'))).toContain('master_link_status:up');
    const prefix = 'lost-lanes';
    const [writer, reader] = [await storeOn(clientTo(proxy.port), { prefix }), await storeOn(clientTo(proxy.port), { prefix })];
    const { taskId, fence, commit } = await withLane(writer, 2);
    const [grown, sealed] = [fence(), fence({ lane: laneOf(2) })];
    const heard = listening();
    const interrupted = vi.fn();
    await reader.tail({ ...heard.listener, interrupted }).watchParts?.(taskId);
    for (const each of [grown, sealed]) expect(await write(writer, each, 0, 'kept ')).toBe('ok');
    await clientTo(master.port).wait(1, patience(20_000));
    await onReplica.replicaof('NO', 'ONE');
    // What the promoted replica never hears of.
    expect(await write(writer, grown, 5, 'lost words')).toBe('ok');
    expect(await lanesOf(writer).seal(sealed)).toBe(5);
    expect(await textOf(reader, grown)).toBe('kept lost words');
    await heard.lines(3);
    await master.kill();
    proxy.leadTo(replica.port);

    await vi.waitFor(async () => expect(await write(writer, grown, 15, '!')).toEqual({ at: 5 }));
    await vi.waitFor(() => expect(interrupted).toHaveBeenCalled());
    const close: LaneChanges = { close: [{ lane: sealed.lane, bytes: 5, keeps: true }] };
    expect([await commit(close), await lanesOf(writer).seal(sealed), await commit(close)]).toEqual(['conflict', 5, 'committed']);
    const next = fence({ epoch: { mark: 'second', was: 'first', from: 5 } });
    expect(await commit({ continue: [next] })).toBe('committed');
    expect(await write(writer, next, 5, 'other words, more of them')).toBe('ok');
    expect(await write(writer, grown, 30, '!')).toBe('fenced');
    // Whoever has 15 bytes of the first epoch sees that it went on at 5.
    const page = await lanesOf(reader).readPart(taskId, grown.lane, 15, 100);
    expect([page?.epoch, page?.length]).toEqual([{ mark: 'second', was: 'first', from: 5 }, 30]);
    expect(await textOf(reader, grown)).toBe('kept other words, more of them');
    await vi.waitFor(() => reader.tail(heard.listener).watchParts?.(taskId));
    await write(writer, next, 30, '.');
    await vi.waitFor(() => expect(heard.told).toContain(`${grown.lane} second at 30: .`));
  });
});

describe('lanes on a Redis cluster', () => {
  it('go to the server of their slot, some of each in one call, and wait while it moves, whatever moves first', async () => {
    const cluster = await startCluster(3);
    onTestFinished(() => cluster.stop());
    const redis = cluster.client();
    const store = redisStore(redis, { prefix: 'moved', logger: silent, commandTimeoutMs: WAIT_MS });
    await store.open();
    const tasks = await Promise.all(['00', '3f', '80', 'ff'].map((bucket) => withLane(store, 2, bucket)));
    const moving = await withLane(store, 2, '3f');
    tasks.push(moving);
    const { taskId, requestKey, fence, commit, revision } = moving;
    const flushes = tasks.map((task) => ({ fence: task.fence(), at: 0, bytes: asBytes('text') }));
    expect(await lanesOf(store).flush(flushes)).toEqual(tasks.map(() => 'ok'));
    const slot = await redis.cluster('KEYSLOT', '{3f}');
    let at = 4;
    for (const first of [`parts:${taskId}`, `lane:${taskId}:${laneOf(1)}`, `task:${taskId}`]) {
      let during: Promise<unknown[]> | undefined;
      await cluster.move(slot, ((await cluster.ownerOf(slot)) + 1) % 3, {
        keys: [`moved:{3f}:${first}`],
        async until() {
          during = Promise.all([lanesOf(store).newest([taskId]), write(store, fence(), at, '+'), textOf(store, fence())]);
          during.catch(() => undefined);
          // Long enough for the first tries to be refused.
          await redis.cluster('INFO');
        },
      });
      const [newest, flushed, text] = (await during) ?? [];
      const lengths = (newest as { lanes: { length: number }[] }[])[0]?.lanes.map(({ length }) => length);
      expect([
        [at, 0],
        [at + 1, 0],
      ]).toContainEqual(lengths);
      expect(flushed).toBe('ok');
      at += 1;
      expect(['text+++'.slice(0, at - 1), 'text+++'.slice(0, at)]).toContain(text);
    }
    expect(await textOf(store, fence())).toBe('text+++');
    const close = [{ lane: fence().lane, bytes: Number(await lanesOf(store).seal(fence())), keeps: true }];
    expect(await commit({ close })).toBe('committed');
    expect(await store.remove(taskId, requestKey, revision())).toBe('removed');
    const keys = await Promise.all(redis.nodes('master').map((node) => node.keys(`*${taskId}*`)));
    expect(keys.flat()).toEqual([]);
    await store.close();
    redis.disconnect();
  });
});
