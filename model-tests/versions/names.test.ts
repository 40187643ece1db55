import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { redisStore } from 'taskbridge/adapters/redis';
import { systemClock, type Clock, type Store } from 'taskbridge/server';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Backfill } from '../../server/lists/backfill.ts';
import { startCluster, type RedisCluster } from '../redis/redis-cluster.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { eventually } from '../support/eventually.ts';
import { patience, WAIT_MS } from '../support/patience.ts';
import { startHost, type HostProcess, type Place } from './host-process.ts';
import { openBuildFolder, type BuildFolder, type Release, type Version } from './release.ts';
import { isQuestion, requestsTo, watch } from './wire.ts';

/** What of 0.1.0's store is used here. */
interface OldStore {
  open(): Promise<void>;
  close(): Promise<void>;
  create(task: object): Promise<unknown>;
}
interface OldDoors {
  redisStore(redis: unknown): OldStore;
  lmdbStore(options: { readonly path: string }): OldStore;
}

const silent = { warn: () => undefined, error: () => undefined };
let folder: BuildFolder;
let old: Release;
let today: Version;
let redis: RedisServer;
let cluster: RedisCluster;

beforeAll(async () => {
  [folder, redis, cluster] = await Promise.all([openBuildFolder(), startRedis(), startCluster(3)]);
  [old, today] = await Promise.all([folder.unpack('0.1.0'), folder.today()]);
}, patience(180_000));
afterAll(async () => {
  await Promise.all([redis.stop(), cluster.stop()]);
  await folder.clear();
});

async function emptyFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-names-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** The ids of all tasks of ada, page by page, as a host lists them. */
async function listed({ url }: HostProcess): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const response = await fetch(`${url}/api/v1/tasks?limit=2${after && `&after=${after}`}`);
    const page = (await response.json()) as { readonly tasks: readonly { readonly taskId: string }[]; readonly nextAfter: string | null };
    ids.push(...page.tasks.map(({ taskId }) => taskId));
    after = page.nextAfter;
  }
  return ids;
}

describe('the owner of tasks that a process of 0.1.0 made', { timeout: patience(180_000) }, () => {
  const hosts: HostProcess[] = [];
  const start = async (version: Version, place: Place): Promise<HostProcess> => {
    const host = await startHost(version, place);
    hosts.push(host);
    return host;
  };
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.kill())));

  /** An ended task, one that waits for an answer and a cancelled one, each made after the one before: their ids, the newest first. */
  async function leave({ url }: HostProcess, whose: string): Promise<readonly string[]> {
    const requests = requestsTo(url);
    const create = async (name: string, input: object, taskType = 'count'): Promise<string> =>
      (await requests.create({ clientRequestId: `${name} ${whose}`, taskType, input: { ...input } })).body.taskId ?? '';
    const ended = await create('ended', { ask: false });
    await watch(url, ended);
    const asked = await create('asked', {});
    await watch(url, asked, { until: isQuestion });
    const cancelled = await create('cancelled', {}, 'wait');
    await watch(url, cancelled, { until: ({ type }) => type === 'TASK_STARTED' });
    await requests.cancel(cancelled);
    await watch(url, cancelled);
    return [cancelled, asked, ended];
  }

  it('finds all of them in his list on a host of today, on one Redis, that one at work beside it', async () => {
    const place = { redis: redis.port };
    const before = await start(old, place);
    const left = await leave(before, 'before today');
    const host = await start(today, place);
    await vi.waitFor(async () => expect(await listed(host)).toEqual(left));
    // The next pass is a minute away, but for a process that begins: a minute must have gone by since the last one ended.
    const more = await leave(before, 'beside today');
    const client = new Redis(redis.port);
    onTestFinished(() => client.disconnect());
    await client.hdel('taskbridge:{00}:store', 'backfill');
    const next = await start(today, place);
    await vi.waitFor(async () => expect(await listed(next)).toEqual([...more, ...left]));
    expect(await listed(host)).toEqual([...more, ...left]);
    expect([...host.lines, ...next.lines].filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('finds all of them in his list on the same LMDB folder, also what 0.1.0 made there when it came back', async () => {
    const place = { lmdb: await emptyFolder() };
    const all: string[] = [];
    for (const whose of ['before today', 'after today']) {
      const before = await start(old, place);
      all.unshift(...(await leave(before, whose)));
      await before.kill();
      const host = await start(today, place);
      await vi.waitFor(async () => expect(await listed(host)).toEqual(all));
      await host.close();
    }
  });
});

const TASKS = 3000;

/** Writes tasks as 0.1.0 does, by its own store; gives their request keys. */
async function fill(store: OldStore, from: number, count: number): Promise<readonly string[]> {
  await store.open();
  const hex = (i: number, length: number): string => ((i * 7) % 256).toString(16).padStart(2, '0') + String(i).padStart(length - 2, '0');
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  await Promise.all(
    numbers.map((i) => {
      const [taskId, requestKey] = [hex(i, 32), hex(i, 64)];
      const about = {
        taskId,
        taskType: 'count',
        clientRequestId: `${i}`,
        owner: ownerOf(i),
        contentHash: '',
        requestKey,
        createdAt: 1000 + i,
      };
      return store.create({ taskId, requestKey, fields: { about: JSON.stringify(about) }, kept: {}, dueAt: null });
    }),
  );
  await store.close();
  return numbers.map((i) => hex(i, 64));
}

/** Every third task is of one who has nothing else. */
function ownerOf(i: number): string {
  return i % 3 === 0 ? `owner ${i}` : 'ada';
}

interface Filled {
  readonly store: Store;
  fill(from: number, count: number): Promise<readonly string[]>;
}

const redisStores: readonly [string, () => Promise<Filled>][] = [
  [
    'Redis',
    async () => {
      const client = new Redis(redis.port);
      await client.flushall();
      onTestFinished(() => client.disconnect());
      const { redisStore: oldStore } = (await old.door('adapters/redis/index.js')) as OldDoors;
      return {
        store: redisStore(client, { logger: silent, commandTimeoutMs: WAIT_MS }),
        fill: (from, count) => fill(oldStore(client), from, count),
      };
    },
  ],
  [
    'a Redis Cluster',
    async () => {
      const client = cluster.client();
      onTestFinished(() => client.disconnect());
      const { redisStore: oldStore } = (await old.door('adapters/redis/index.js')) as OldDoors;
      return {
        store: redisStore(client, { logger: silent, commandTimeoutMs: WAIT_MS }),
        fill: (from, count) => fill(oldStore(client), from, count),
      };
    },
  ],
];

/** A clock that a test sets forward, whose timers ring as ever. */
function clockAhead(): Clock & { ahead: number } {
  const clock = {
    ...systemClock,
    ahead: 0,
    now: () => Date.now() + clock.ahead,
    monotonic: () => performance.now() + clock.ahead,
  };
  return clock;
}

function backfillOn(store: Store, nodeId: string, clock: Clock) {
  const infos: [string, unknown][] = [];
  const warn = vi.fn();
  const logger = { ...silent, warn, info: (...info: [string, unknown?]) => void infos.push([info[0], info[1]]) };
  const time = { now: () => clock.now(), synchronize: async () => undefined };
  const inDoubt = new Set<string>();
  const backfill = new Backfill({ store, nodeId, clock, time, logger, sharesInDoubt: (owner) => void inDoubt.add(owner) });
  onTestFinished(() => backfill.close());
  return { backfill, infos, warn, inDoubt };
}

async function namesIn(store: Store): Promise<readonly string[]> {
  const names: string[] = [];
  for (let after: string | undefined, isEnd = false; !isEnd;) {
    const page = await store.owners(1000, after);
    for (const owner of page.owners) names.push(...(await store.names(owner, 100_000)).map(({ requestKey }) => requestKey));
    [after, isEnd] = [page.next, page.next === undefined];
  }
  return names.sort();
}

describe.each(redisStores)('a pass through the tasks of 0.1.0 on %s', { timeout: patience(60_000) }, (_, open) => {
  it('goes on on another node where one has died, and is made again while 0.1.0 creates', async () => {
    const { store, fill: create } = await open();
    const keys = await create(0, TASKS);
    await store.open();
    onTestFinished(() => store.close());
    const clock = clockAhead();
    const asked: (string | undefined)[] = [];
    let pages = 0;
    const needed = store.backfill;
    if (!needed) throw new Error('This store has no backfill.');
    /** Dies, without a word, in its third page. */
    const dying: Store = {
      ...store,
      backfill: {
        ...needed,
        requests: (limit, after) => ((pages += 1) === 3 ? new Promise(() => undefined) : needed.requests(limit, after)),
      },
    };
    const dead = new Backfill({
      store: dying,
      nodeId: 'a',
      clock,
      time: { now: () => clock.now(), synchronize: async () => undefined },
      logger: silent,
      sharesInDoubt: () => undefined,
    });
    dead.step();
    await eventually(() => pages === 3);
    const named = await namesIn(store);
    expect(named.length).toBeGreaterThan(0);
    expect(named.length).toBeLessThan(TASKS);

    const noting: Store = {
      ...store,
      backfill: { ...needed, requests: (limit, after) => (asked.push(after), needed.requests(limit, after)) },
    };
    const { backfill, infos, warn, inDoubt } = backfillOn(noting, 'b', clock);
    const kept = await needed.kept();
    backfill.step();
    await backfill.settled();
    expect(asked, 'while the first may be alive').toEqual([]);
    clock.ahead += 30_001;
    backfill.step();
    await backfill.settled();
    expect(asked[0]).toBe((JSON.parse(kept ?? '') as { readonly after: string }).after);
    expect(await namesIn(store)).toEqual([...keys].sort());
    expect(infos).toEqual([[expect.stringContaining('lists of their owners'), expect.objectContaining({ looked: TASKS })]]);
    expect(inDoubt.has('ada')).toBe(true);

    // 0.1.0 is still at work: what it makes now is found a minute later.
    const more = await create(TASKS, 30);
    backfill.step();
    await backfill.settled();
    expect((await namesIn(store)).length).toBe(TASKS);
    clock.ahead += 60_001;
    backfill.step();
    await backfill.settled();
    expect(await namesIn(store)).toEqual([...keys, ...more].sort());
    const [first] = await store.names('ada', 1);
    expect(first).toEqual({ requestKey: more.at(-1), at: 1000 + TASKS + 29 });

    // A pass that finds nothing is the last for a day, of any node.
    clock.ahead += 60_001;
    backfill.step();
    await backfill.settled();
    const before = asked.length;
    clock.ahead += 23 * 3_600_000;
    backfill.step();
    await backfill.settled();
    expect(asked.length).toBe(before);
    clock.ahead += 3_600_001;
    backfill.step();
    await backfill.settled();
    expect(asked.length).toBeGreaterThan(before);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('a pass through a folder of 0.1.0', () => {
  it('goes on where its process was ended', async () => {
    const path = await emptyFolder();
    const { lmdbStore: oldStore } = (await old.door('adapters/lmdb/index.js')) as OldDoors;
    const keys = await fill(oldStore({ path }), 0, 450);
    const asked: (string | undefined)[] = [];
    for (const nodeId of ['a', 'b']) {
      const store = lmdbStore({ path, logger: silent });
      await store.open();
      const needed = store.backfill;
      if (!needed) throw new Error('This store has no backfill.');
      const ended = new Error('The process has ended.');
      const requests = (limit: number, after?: string) => {
        asked.push(after);
        return nodeId === 'a' && asked.length === 3 ? Promise.reject(ended) : needed.requests(limit, after);
      };
      const { backfill } = backfillOn({ ...store, backfill: { ...needed, requests } }, nodeId, systemClock);
      backfill.step();
      await backfill.settled();
      if (nodeId === 'b') expect(await namesIn(store)).toEqual([...keys].sort());
      await store.close();
    }
    // The first has kept its first page, and not its second.
    expect(asked).toEqual([undefined, asked[1], asked[2], asked[1], asked[2], asked[5], asked[6]]);
  });
});

describe('a pass that a store does not answer', () => {
  it('is tried again, is told once, and leaves its text alone where a newer release wrote it', async () => {
    const store = lmdbStore({ path: await emptyFolder() });
    await store.open();
    onTestFinished(() => store.close());
    const needed = store.backfill;
    if (!needed) throw new Error('This store has no backfill.');
    const clock = clockAhead();
    let isAway = true;
    const kept = () => (isAway ? Promise.reject(new Error('It is away.')) : needed.kept());
    const { backfill, warn } = backfillOn({ ...store, backfill: { ...needed, kept } }, 'a', clock);
    for (const ahead of [0, 10_001, 10_001]) {
      clock.ahead += ahead;
      backfill.step();
      await backfill.settled();
    }
    expect(warn).toHaveBeenCalledTimes(1);
    isAway = false;
    const newer = '{"v":2,"way":"another"}';
    await needed.keep(newer);
    clock.ahead += 10_001;
    backfill.step();
    await backfill.settled();
    expect(await needed.kept()).toBe(newer);
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
