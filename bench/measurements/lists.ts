import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inProcess } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { createTaskBridge, type Store, type TaskBridge } from '../../server/index.ts';
import { CleanupStack } from '../processes/cleanup-stack.ts';
import { startRedis } from '../processes/redis-server.ts';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import { medianMs } from '../systems/own-process.ts';
import type { Bench } from './bench.ts';

/** Tasks of a page. */
const PAGE = 10;
/** Names that are written at once, and how often at a time. */
const [NAMES_AT_ONCE, CALLS] = [500, 4];
/** A ratio to the first that still counts as the same. */
const SAME = 1.2;
const quiet = { warn: () => undefined, error: () => undefined };

/** A store, and how a page of somebody's list is asked for there. */
interface Listed {
  readonly store: Store;
  readonly bridge: TaskBridge;
}

/** What a page of an owner's list costs beside many names, and among many owners: the index is filled directly, what is shown are tasks. */
export async function lists(bench: Bench): Promise<readonly Row[]> {
  const cleanup = new CleanupStack();
  try {
    const many = bench.quick ? 100_000 : 1_000_000;
    const rows: Row[] = [];
    for (const kind of ['Redis', 'LMDB'] as const) {
      if (!bench.wants(kind)) continue;
      // Beside nothing else: on Redis a server of its own.
      const few = await opened(kind, cleanup, kind === 'Redis' ? (await startRedis(cleanup)).port : 0);
      const full = await opened(kind, cleanup, bench.redis.port);
      rows.push(...(await measured(bench, kind, few, full, many)));
    }
    return rows;
  } finally {
    await cleanup.all();
    await bench.redis.client.flushall();
  }
}

async function opened(kind: 'Redis' | 'LMDB', cleanup: CleanupStack, port: number): Promise<Listed> {
  let store: Store;
  if (kind === 'Redis') {
    const redis = new Redis(port);
    cleanup.add(async () => redis.disconnect());
    store = redisStore(redis, { logger: quiet });
  } else {
    const path = await mkdtemp(join(tmpdir(), 'taskbridge-lists-'));
    cleanup.add(() => rm(path, { recursive: true, force: true }));
    store = lmdbStore({ path, logger: quiet });
  }
  const executor = inProcess({ done: async () => undefined });
  const bridge = createTaskBridge({ store, executor, auth: () => undefined, logger: quiet });
  await bridge.start();
  cleanup.add(() => bridge.close());
  return { store, bridge };
}

async function measured(bench: Bench, kind: string, few: Listed, full: Listed, many: number): Promise<Row[]> {
  const readableMany = `${many / 1000} 000`.replace('1000 000', '1 000 000');
  for (const at of [few, full]) await startTasks(at, 'ada');
  bench.say(`${kind}: ${readableMany} names of one owner`);
  const middle = await fillOne(full, 'grace', many);
  bench.say(`${kind}: ${readableMany} owners of one name each`);
  await fillNames(full.store, many, (i) => [`owner ${i}`, 1000]);

  const cases: readonly { readonly name: string; page(): Promise<void> }[] = [
    { name: 'an owner with 10 tasks, and nobody else', page: () => readPage(few, 'ada') },
    { name: `an owner with 10, among ${readableMany} owners`, page: () => readPage(full, 'ada') },
    { name: `an owner with ${readableMany}, his newest`, page: () => readPage(full, 'grace') },
    { name: `the same, from the middle of his list`, page: () => readPage(full, 'grace', middle) },
  ];
  const rounds = bench.rounds(9, 5);
  const costs = cases.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [i, { page }] of cases.entries()) {
      const ms = await medianMs(bench.quick ? 50 : 200, page);
      // The first is not counted: code is slow that has not run for a while.
      if (round > 0) costs[i]?.push(ms);
    }
    bench.say(`${kind}, round ${round} of ${rounds}: ${costs.map((figures) => `${readable(figures.at(-1) ?? 0)} ms`).join(', ')}`);
  }
  const [first = []] = costs;
  return cases.map(({ name }, i) => ({
    name: `${kind}, ${name}`,
    unit: `ms a page of ${PAGE}`,
    figures: { ours: costs[i] ?? [], ...(i > 0 && { first }) },
    ...(i > 0 && { bars: [{ against: 'first', atMost: SAME }] as const }),
  }));
}

async function readPage({ bridge }: Listed, owner: string, after?: string): Promise<void> {
  const { tasks } = await bridge.tasks({ subject: owner }).list({ limit: PAGE, after });
  if (tasks.length !== PAGE) throw new Error(`A page had ${tasks.length} tasks.`);
}

/** As many tasks as a page has, each ended. */
async function startTasks({ bridge }: Listed, owner: string): Promise<readonly string[]> {
  const tasks = bridge.tasks({ subject: owner });
  const ids: string[] = [];
  for (let i = 0; i < PAGE; i += 1) {
    const { taskId } = await tasks.start({ clientRequestId: randomBytes(8).toString('hex'), taskType: 'done', input: { i } });
    for await (const fact of tasks.watch(taskId)) void fact;
    ids.push(taskId);
  }
  return ids;
}

/** Names without a task, a page of tasks in their middle and one after them. Gives the place before the middle one. */
async function fillOne(listed: Listed, owner: string, many: number): Promise<string> {
  const { store } = listed;
  await startTasks(listed, owner);
  const moved = await store.names(owner, PAGE);
  for (const [i, name] of moved.entries()) {
    await store.forget(owner, name);
    await store.count([{ owner, by: {}, name: { requestKey: name.requestKey, at: 1000 + many / 2 + (i + 1) / 1024 } }]);
  }
  await fillNames(store, many, (i) => [owner, 1000 + i]);
  await startTasks(listed, owner);
  return `${1000 + many / 2 + 1}-${'0'.repeat(64)}`;
}

async function fillNames(store: Store, many: number, of: (i: number) => readonly [owner: string, at: number]): Promise<void> {
  let from = 0;
  const write = async (): Promise<void> => {
    while (from < many) {
      const first = from;
      from += NAMES_AT_ONCE;
      const numbers = Array.from({ length: Math.min(NAMES_AT_ONCE, many - first) }, (_, i) => first + i);
      await store.count(
        numbers.map((i) => {
          const [owner, at] = of(i);
          return { owner, by: {}, name: { requestKey: randomBytes(32).toString('hex'), at } };
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: CALLS }, write));
}
