import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import type { PartFrame } from '../../machines/parts/index.ts';
import { taskPartsText } from '../../machines/routes/index.ts';
import { eventNumber, isTerminalType, type Fact, type FactType, type PollResponse } from '../../machines/wire/index.ts';
import type { Store } from '../../server/index.ts';
import { PartReader } from '../law/part-reader.ts';
import { startRedis } from '../redis/redis-server.ts';
import { patience } from '../support/patience.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

const quiet = { warn: () => undefined, error: () => undefined };
const headers = { authorization: 'alice' };
const WORDS = 4000;
const wordOf = (nth: number): string => `${nth} büro 🙂\n`;
const WHOLE = Array.from({ length: WORDS }, (_, nth) => wordOf(nth)).join('');

/** The stores of one or more nodes of a host; what is shown comes from the last one. */
type OpenStores = () => Promise<readonly [Store, ...Store[]]>;

const inMemory: OpenStores = () => Promise.resolve([memoryStore()]);

const inLmdb: OpenStores = async () => {
  const path = await mkdtemp(join(tmpdir(), 'taskbridge-parts-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return [lmdbStore({ path })];
};

const onTwoNodes: OpenStores = async () => {
  const server = await startRedis('--appendonly', 'no');
  const clients = [new Redis(server.port), new Redis(server.port)] as const;
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });
  return [redisStore(clients[0]), redisStore(clients[1])];
};

/** A task whose handler writes an answer of about 70 KB, word by word. */
async function writing(open = inMemory): Promise<{ readonly of: RunningBridge; readonly taskId: string }> {
  const [first, ...others] = await open();
  const of = await writer(first);
  const taskId = await of.start('work');
  const nodes = await Promise.all(others.map((store) => writer(store)));
  return { of: nodes.at(-1) ?? of, taskId };
}

function writer(store: Store): Promise<RunningBridge> {
  const run = inProcess(
    {
      work: async (task) => {
        const out = task.stream('answer', { kind: 'text', flushMs: 10, flushBytes: 256 });
        for (let nth = 0; nth < WORDS; nth++) {
          await out.write(wordOf(nth));
          if (nth % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await out.end();
      },
    },
    { logger: quiet },
  );
  return bridgeOf(run, { store, logger: quiet });
}

type Shown = Fact | PartFrame;
/** One connection: calls back with what comes, until it ends; gives the way to cut it. */
type Connect = (url: string, taskId: string, reader: PartReader, take: (shown: Shown) => void, over: () => void) => () => void;

const isShown = (frame: { readonly type: string }): boolean => frame.type === 'PART' || frame.type.startsWith('TASK_');

const overWebSocket: Connect = (url, taskId, reader, take, over) => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws?extensions=parts`, { headers });
  ws.on('open', () => {
    const { cursor: lastEventId = null, partCursors } = reader;
    ws.send(JSON.stringify({ action: 'subscribe', taskId, lastEventId, ...(partCursors !== '' && { parts: partCursors }) }));
  });
  ws.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as Shown;
    if (isShown(frame)) take(frame);
  });
  ws.on('error', () => undefined);
  ws.on('close', over);
  return () => ws.terminate();
};

const overSse: Connect = (url, taskId, reader, take, over) => {
  const cutting = new AbortController();
  const query = new URLSearchParams({ extensions: 'parts', lastEventId: reader.cursor ?? '', parts: reader.partCursors });
  let unread = '';
  const feed = (text: string): void => {
    const events = (unread + text).split('\n\n');
    unread = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split('\n');
      const data = lines.find((line) => line.startsWith('data:'))?.slice('data:'.length);
      const frame = data === undefined ? undefined : (JSON.parse(data) as Shown);
      // Text moves no cursor of facts.
      const hasId = lines.some((line) => line.startsWith('id:'));
      if (frame && isShown(frame)) take(hasId === (frame.type === 'PART') ? ({ type: 'with a wrong id' } as unknown as Shown) : frame);
    }
  };
  const run = async (): Promise<void> => {
    const response = await fetch(`${url}/api/v1/tasks/${taskId}/events/stream?${query}`, { headers, signal: cutting.signal });
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) feed(decoder.decode(bytes, { stream: true }));
  };
  void run()
    .catch(() => undefined)
    .finally(over);
  return () => {
    cutting.abort();
    // A body that has ended meanwhile says nothing of it any more.
    over();
  };
};

/** A stream of many tasks, of which one is looked at: its frames have no ids, and the parts of each task their own cursors. */
const overSharedSse: Connect = (url, taskId, reader, take, over) => {
  const cutting = new AbortController();
  const ofTask = (text: string): string => taskPartsText([{ taskId, parts: text }]);
  const query = new URLSearchParams({ extensions: 'parts', tasks: `${taskId}@${reader.cursor ?? ''}`, parts: ofTask(reader.partCursors) });
  const run = async (): Promise<void> => {
    const response = await fetch(`${url}/api/v1/tasks/events/stream?${query}`, { headers, signal: cutting.signal });
    let unread = '';
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (unread + text).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        const frame = line.startsWith('data:') ? (JSON.parse(line.slice('data:'.length)) as Shown) : undefined;
        if (frame?.taskId === taskId && isShown(frame)) take(frame);
      }
    }
  };
  void run()
    .catch(() => undefined)
    .finally(over);
  return () => {
    cutting.abort();
    over();
  };
};

/** Each page is a connection of its own, which is not cut in its midst: what is not taken of it is asked for again. */
const overPoll: Connect = (url, taskId, reader, take, over) => {
  const cutting = new AbortController();
  const page = async (): Promise<PollResponse<Fact>> => {
    const query = new URLSearchParams({
      ...{ extensions: 'parts', afterEventId: reader.cursor ?? '', parts: reader.partCursors, waitTimeoutMs: '20000', maxEvents: '2' },
    });
    const response = await fetch(`${url}/api/v1/tasks/${taskId}/events?${query}`, { headers, signal: cutting.signal });
    return (await response.json()) as PollResponse<Fact>;
  };
  const run = async (): Promise<void> => {
    for (;;) {
      reader.connect();
      const { events, parts, terminal } = await page();
      for (const shown of [...events, ...(parts ?? [])]) if (!cutting.signal.aborted) take(shown);
      if (terminal || cutting.signal.aborted) return;
    }
  };
  void run()
    .catch(() => undefined)
    .finally(over);
  return () => {
    cutting.abort();
    over();
  };
};

describe.each([
  ['a WebSocket', 'in memory', overWebSocket, inMemory, 1, 12],
  ['an event stream', 'in memory', overSse, inMemory, 2, 12],
  ['a WebSocket', 'on LMDB', overWebSocket, inLmdb, 3, 12],
  ['a WebSocket', 'on another node of a Redis', overWebSocket, onTwoNodes, 4, 12],
  ['an event stream', 'on another node of a Redis', overSse, onTwoNodes, 5, 12],
  ['a stream of many tasks', 'in memory', overSharedSse, inMemory, 9, 12],
  ['a stream of many tasks', 'on another node of a Redis', overSharedSse, onTwoNodes, 10, 12],
  // A page has what comes in a quarter of a second.
  ['polls', 'in memory', overPoll, inMemory, 6, 1],
  ['polls', 'on LMDB', overPoll, inLmdb, 7, 1],
  ['polls', 'on another node of a Redis', overPoll, onTwoNodes, 8, 1],
])('a client of %s %s that asked for parts', (_, __, connect, open, seed, framesMax) => {
  test('and is cut again and again ends with the very text, and got none of it twice', async () => {
    const { of, taskId } = await writing(open);
    const random = seededRandom(seed);
    const reader = new PartReader();
    let bytes = 0;
    let cuts = 0;
    const wrong: Shown[] = [];
    let ended = false;
    while (!ended) {
      await new Promise<void>((over) => {
        reader.connect();
        const frames = random.below(framesMax);
        let seen = 0;
        const cut = connect(
          of.url,
          taskId,
          reader,
          (shown) => {
            if (seen > frames) return;
            wrong.push(...((shown.type as string) === 'with a wrong id' ? [shown] : []));
            reader.take(shown);
            if (shown.type === 'PART') bytes += shown.to - shown.at;
            ended ||= shown.type !== 'PART' && isTerminalType(shown.type as FactType);
            seen += 1;
            if (seen <= frames || ended) return;
            cuts += 1;
            cut();
          },
          over,
        );
      });
    }
    expect([...reader.broken, ...wrong]).toEqual([]);
    expect(reader.textOf(2)).toBe(WHOLE);
    expect(reader.closed).toEqual([2]);
    expect(bytes).toBe(Buffer.byteLength(WHOLE));
    expect(cuts).toBeGreaterThan(3);
  });
});

test('a page of polls has more text than is read at once, as one JSON', async () => {
  const text = 'naïve \u0002 "quoted"\n'.repeat(60_000);
  const run = inProcess(
    {
      work: async (task) => {
        const out = task.stream('answer', { kind: 'text' });
        await out.write(text);
        await out.end();
      },
    },
    { logger: quiet },
  );
  const of = await bridgeOf(run, { store: memoryStore(), logger: quiet });
  const taskId = await of.start('work');
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('completed'), { timeout: patience(20_000) });
  const page = async (query: object): Promise<{ readonly body: PollResponse<Fact>; readonly bytes: number }> => {
    const asked = new URLSearchParams({ extensions: 'parts', ...query });
    const answer = await (await fetch(`${of.url}/api/v1/tasks/${taskId}/events?${asked}`, { headers })).text();
    return { body: JSON.parse(answer) as PollResponse<Fact>, bytes: Buffer.byteLength(answer) };
  };
  const first = await page({});
  expect(first.bytes).toBeGreaterThan(1024 * 1024);
  expect(first.body.events.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_PART_OPENED']);
  expect(first.body.parts?.map((frame) => frame.text).join('')).toBe(text);
  expect(first.body).toMatchObject({ hasMore: true, terminal: false });
  const { eventId, epoch } = first.body.parts?.[0] ?? {};
  const parts = `${eventId}.${first.body.parts?.at(-1)?.to}.${epoch}`;
  const second = await page({ afterEventId: first.body.nextAfterEventId ?? '', parts });
  expect(second.body).toMatchObject({ parts: [], hasMore: false, terminal: true });
  expect(second.body.events.map(({ type }) => type)).toEqual(['TASK_PART_CLOSED', 'TASK_COMPLETED']);
  expect((await page({ extensions: 'gap' })).body).not.toHaveProperty('parts');
});

describe('a client that did not ask for parts', () => {
  test('is shown the facts, and a part that is too long for one is read by who asks', async () => {
    const { of, taskId } = await writing();
    await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('completed'), { timeout: patience(20_000) });
    const seen: Shown[] = [];
    await new Promise<void>((over) => {
      const ws = new WebSocket(`${of.url.replace('http', 'ws')}/api/v1/tasks/ws`, { headers });
      ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId })));
      ws.on('message', (data: Buffer) => seen.push(JSON.parse(data.toString()) as Shown));
      ws.on('close', () => over());
    });
    expect(seen.map(({ type }) => type as string)).toEqual([
      'SUBSCRIPTION_CONFIRMED',
      ...['TASK_STARTED', 'TASK_PART_OPENED', 'TASK_PART_CLOSED', 'TASK_COMPLETED'],
    ]);
    expect(eventNumber((seen[2] as Fact).eventId)).toBe(2n);
  });

  test.each(['12', '12-1790000000000.x', '1-1.5.mark,', Array(17).fill('1-1.5.mark').join()])(
    'is refused for what is no part cursor: %s',
    async (parts) => {
      const { of, taskId } = await writing();
      const query = new URLSearchParams({ extensions: 'parts', parts });
      for (const path of ['events/stream', 'events']) {
        const answer = await fetch(`${of.url}/api/v1/tasks/${taskId}/${path}?${query}`, { headers });
        expect(answer.status).toBe(422);
        expect(await answer.json()).toMatchObject({ details: { errors: [{ path: 'parts' }] } });
      }
    },
  );
});
