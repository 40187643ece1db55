import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { fileAttachments } from 'taskbridge/adapters/file';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { memoryStore } from 'taskbridge/adapters/memory';
import { redisStore } from 'taskbridge/adapters/redis';
import { fold, restoreAggregate, storeTask, type StoredTask } from 'taskbridge/machines';
import { createTaskBridge, type Store } from 'taskbridge/server';
import { eventId, parseEventId } from 'taskbridge/wire';
import { Backfill } from '../../server/lists/backfill.ts';
import { listen } from '../http/listen.ts';
import { startRedis } from '../redis/redis-server.ts';
import { fixedChance, runScenario, scenarioHost, scenarioWork, stillClock } from './scenario.ts';

/** A text that the server gives its store. */
export interface StoredText {
  /** When in the scenario. */
  readonly moment: 'created' | 'waiting' | 'failed' | 'completed' | 'cancelled';
  readonly part: 'field' | 'kept';
  /** The name that the store's port gives it. */
  readonly name: string;
  readonly text: string;
}

/** What the server gives its store, at moments of the scenario that are the same each time. */
export async function textsOfServer(): Promise<readonly StoredText[]> {
  const texts: StoredText[] = [];
  const store = memoryStore({ clock: stillClock });
  const keptNames = new Set<string>();
  const add = (moment: StoredText['moment'], part: StoredText['part'], given: Readonly<Record<string, string>>): void => {
    for (const name of Object.keys(given).sort()) texts.push({ moment, part, name, text: given[name] ?? '' });
  };
  const noted: Store = {
    ...store,
    async create(task) {
      if (texts.length === 0) add('created', 'field', task.fields);
      for (const name of Object.keys(task.sideValues)) keptNames.add(name);
      return store.create(task);
    },
    async append(commit) {
      for (const name of Object.keys(commit.sideValues)) keptNames.add(name);
      return store.append(commit);
    },
  };
  const note = async (moment: StoredText['moment'], taskId: string): Promise<void> => {
    add(moment, 'field', (await store.load(taskId))?.fields ?? {});
    const names = [...keptNames];
    const values = await store.sideValues(taskId, names);
    add(moment, 'kept', Object.fromEntries(values.flatMap((text, i) => (text === undefined ? [] : [[names[i] ?? '', text]]))));
  };
  const host = await scenarioHost(noted);
  try {
    const told = await runScenario(host, (taskId) => note('waiting', taskId));
    await note('failed', told.asking);
    await note('completed', told.completed);
    await note('cancelled', told.cancelled);
  } finally {
    await host.close();
  }
  return texts;
}

/** The head of the task that waits, where it has opened a part, and where it has closed it again. */
export async function headsWithParts(texts: readonly StoredText[]): Promise<readonly string[]> {
  const waiting = texts.find(({ moment, name }) => moment === 'waiting' && name === 'task');
  // Written by `storeTask`.
  const stored = JSON.parse(waiting?.text ?? '{}') as StoredTask;
  const before = restoreAggregate({ task: stored, suspensions: {} });
  const { n, ms } = parseEventId(stored.lastEventId ?? '') ?? { n: 0, ms: 0 };
  const envelope = { taskId: 't', createdAt: new Date(ms).toISOString() };
  const opened = fold(before, {
    ...envelope,
    type: 'TASK_PART_OPENED',
    eventId: eventId(n + 1, ms),
    payload: { name: 'answer', kind: 'text', attributes: { model: 'small' } },
  });
  const closed = fold(opened, {
    ...envelope,
    type: 'TASK_PART_CLOSED',
    eventId: eventId(n + 2, ms),
    payload: { part: n + 1, bytes: 4, outcome: 'DONE', text: 'Yes.' },
  });
  return [`writing task ${JSON.stringify(storeTask(opened))}`, `waiting task ${JSON.stringify(storeTask(closed))}`];
}

/** What never changes of a task that has all that may be left out, as a store is given it; the line of a task that waits. */
export async function wholeAbout(): Promise<readonly string[]> {
  const texts: string[] = [];
  const store = memoryStore({ clock: stillClock });
  const noted: Store = {
    ...store,
    create(task) {
      texts.push(`waiting about ${task.fields['about']}`);
      return store.create(task);
    },
  };
  const bridge = createTaskBridge({
    store: noted,
    executor: scenarioWork,
    auth: () => ({ subject: 'alice' }),
    clock: stillClock,
    chance: fixedChance,
  });
  const { url, close } = await listen(bridge.middleware({ prefix: '/projects/:projectId' }));
  await bridge.start();
  try {
    const named = { title: 'A story', labels: ['July', 'ward 7'] };
    const body = JSON.stringify({
      clientRequestId: 'story',
      taskType: 'story',
      input: { pages: 2 },
      metadata: { from: 'a test' },
      ...named,
    });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${url}/projects/a%20b%2F7/tasks`, { method: 'POST', headers, body });
    return texts;
  } finally {
    await close();
    await bridge.close();
  }
}

/** All rows of an LMDB folder after the scenario, key and value; of fields and kept values the keys only. */
export async function rowsOfLmdb(): Promise<readonly string[]> {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-forms-'));
  try {
    const host = await scenarioHost(lmdbStore({ path, clock: stillClock }));
    await runScenario(host).finally(host.close);
    const rows = open<Buffer, (string | number)[]>({ path, noSubdir: false, encoding: 'binary' });
    const own = [...rows.getRange({})].filter(({ key }) => key[0] !== 'i' && key[0] !== 'm');
    const lines = own.map(({ key, value }) => {
      const isHeld = key[0] === 't' && key[2] !== 'h';
      return masked(`${JSON.stringify(key)}${isHeld || value.every((byte) => byte === 0) ? '' : ` ${value.toString()}`}`);
    });
    await rows.close();
    // By what they say: their order is that of times, which are left out.
    return lines.sort();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Where the stores keep their ids. They stand by themselves: what was there before them is read without. */
export async function storeIds(): Promise<readonly string[]> {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-forms-'));
  const server = await startRedis();
  const redis = new Redis(server.port);
  try {
    for (const store of [lmdbStore({ path }), redisStore(redis)]) {
      await store.open();
      await store.id();
      await store.close();
    }
    const rows = open<Buffer, (string | number)[]>({ path, noSubdir: false, encoding: 'binary' });
    const lines = [...rows.getRange({ start: ['i'], end: ['j'] })].map(({ key, value }) => `${JSON.stringify(key)} ${value.toString()}`);
    await rows.close();
    for (const key of await redis.keys('*')) lines.push(...(await linesOf(redis, key)).filter((line) => line.includes(' hash id ')));
    return lines.map((line) => line.replaceAll(/[0-9a-f]{32}/g, '<id>'));
  } finally {
    redis.disconnect();
    await server.stop();
    await rm(path, { recursive: true, force: true });
  }
}

/** What is kept of a pass through the tasks of 0.1.0: in the middle, and when it has ended. */
export async function backfillTexts(): Promise<readonly string[]> {
  const store = memoryStore({ clock: stillClock });
  const texts: string[] = [];
  const backfill = new Backfill({
    store: {
      ...store,
      backfill: {
        requests: async (_, after) => ({ requestKeys: ['5'.repeat(64)], next: after === undefined ? 'a place of the store' : undefined }),
        missing: async () => [],
        kept: async () => texts.at(-1),
        keep: async (text) => void texts.push(text),
      },
    },
    nodeId: '0123456789abcdef',
    clock: stillClock,
    time: { now: () => stillClock.now(), synchronize: async () => undefined },
    logger: { warn: () => undefined, error: () => undefined },
    sharesInDoubt: () => undefined,
  });
  await store.open();
  backfill.step();
  await backfill.settled();
  return texts;
}

/** What says in a folder of attachments whose it is. */
export async function folderMark(): Promise<readonly string[]> {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-forms-'));
  try {
    await fileAttachments({ path }).claim('5'.repeat(32));
    return (await readFile(join(path, '.store'), 'utf8')).trimEnd().split('\n');
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** How an LMDB store says whose it is: a row, and the file beside the data. What a system cannot tell of a process is filled in. */
export async function ownerOfLmdb(): Promise<readonly string[]> {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-forms-'));
  const store = lmdbStore({ path, clock: stillClock });
  try {
    await store.open();
    const rows = open<Buffer, string[]>({ path, noSubdir: false, encoding: 'binary' });
    const texts = [String(rows.get(['o'])), await readFile(join(path, 'owner.json'), 'utf8')];
    await rows.close();
    return texts.map((text) => {
      // Written by the store just now.
      const { v, ...found } = JSON.parse(text) as { readonly v: number };
      const names = new Set(['pid', 'startedAt', 'start', 'boot', 'namespace', 'machine', ...Object.keys(found)]);
      return `{"v":${v},${[...names].map((name) => `"${name}":<${name}>`).join(',')}}`;
    });
  } finally {
    await store.close();
    await rm(path, { recursive: true, force: true });
  }
}

/** All keys of a Redis server after the scenario, and what the store says on its channels. */
export async function keysOfRedis(): Promise<{
  readonly keys: readonly string[];
  readonly identity: readonly string[];
  readonly messages: readonly string[];
}> {
  const server = await startRedis();
  const [own, listener] = [new Redis(server.port), new Redis(server.port)];
  const messages = new Set<string>();
  try {
    await listener.psubscribe('*');
    listener.on('pmessageBuffer', (_, channel: Buffer, message: Buffer) => {
      // What `open` tries rights on says nothing to anybody.
      if (channel.toString().endsWith(':trial')) return;
      const head = message.subarray(0, message.indexOf('\n')).toString();
      messages.add(
        `${masked(channel.toString()).replaceAll(/[0-9a-f]{32}|\{..\}/g, '<task>')} ${masked(head).replaceAll(/<event>,\d+/g, '<event>,<bytes>')}`,
      );
    });
    const host = await scenarioHost(redisStore(own, { clock: stillClock, chance: fixedChance }));
    await runScenario(host).finally(host.close);
    const lines: string[] = [];
    for (const key of (await own.keys('*')).sort()) lines.push(...(await linesOf(own, key)));
    const isIdentity = (line: string): boolean => line.includes(':store hash id ');
    const isBackfill = (line: string): boolean => line.includes(':store hash backfill ');
    return {
      keys: lines.filter((line) => !isIdentity(line) && !isBackfill(line)),
      identity: lines.filter(isIdentity),
      messages: [...messages].sort(),
    };
  } finally {
    for (const client of [own, listener]) client.disconnect();
    await server.stop();
  }
}

async function linesOf(redis: Redis, key: string): Promise<readonly string[]> {
  const type = await redis.type(key);
  const line = (...parts: readonly string[]): string => masked([key, type, ...parts].join(' '));
  switch (type) {
    case 'string':
      return [line((await redis.get(key)) ?? '')];
    case 'zset':
      return [line(...(await redis.zrange(key, 0, '-1', 'WITHSCORES')).map(String))];
    case 'stream':
      return (await redis.xrange(key, '-', '+')).map(([id, [name = '']]) => line(id, name));
    default: {
      const values = Object.entries(await redis.hgetall(key)).sort(([a], [b]) => (a < b ? -1 : 1));
      return values.map(([name, value]) => (key.includes(':kept:') || name.startsWith('f:') ? line(name) : line(name, value)));
    }
  }
}

/** Leaves out what is another one each time: revisions (how often the supervisor wrote), marks, the time of a Redis server, and whether an owner was counted again by then. */
function masked(text: string): string {
  return text
    .replaceAll(/\b\d+;[0-9a-f]{12}\.[0-9a-z]+;/g, '<revision>;<mark>;')
    .replaceAll(/"revision":\d+/g, '"revision":<revision>')
    .replaceAll(/\b\d+-\d{13}\b/g, '<event>')
    .replaceAll(/\b\d{13}(?:\.\d+)?\b/g, '<ms>')
    .replaceAll(/;\d+;(?:0|<ms>)$/g, ';<version>;<ms>');
}
