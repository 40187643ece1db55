import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inProcess, type Handler, type Task, type ValueOptions } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import type { PartFrame, PartTextResponse } from '../../machines/parts/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import type { Store } from '../../server/index.ts';
import { PartFlusher } from '../../server/parts/part-flusher.ts';
import { LATEST_BYTES_MAX, type Fence, type Lanes } from '../../server/store/index.ts';
import { startRedis } from '../redis/redis-server.ts';
import { patience } from '../support/patience.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';
import { closings, ended, noted, quiet, running, said, textOf } from './part-runs.ts';

const CELL: ValueOptions = { kind: 'latest' };

type Host = { readonly of: RunningBridge; readonly taskId: string };

async function read({ of, taskId }: Host, query = ''): Promise<PartTextResponse & { readonly code?: string }> {
  const response = await fetch(`${of.url}/api/v1/tasks/${taskId}/parts/2${query}`, { headers: { authorization: 'alice' } });
  return (await response.json()) as PartTextResponse;
}

async function polled({ of, taskId }: Host, query: Record<string, string> = {}): Promise<readonly PartFrame[]> {
  const asked = new URLSearchParams({ extensions: 'parts', ...query });
  const page = await fetch(`${of.url}/api/v1/tasks/${taskId}/events?${asked}`, { headers: { authorization: 'alice' } });
  return ((await page.json()) as { readonly parts: readonly PartFrame[] }).parts;
}

/** A handler that writes values one after the other, each of which is in the store before the next, and waits for its word. */
function stepping(values: readonly Json[], { ends = true, options = CELL }: { ends?: boolean; options?: ValueOptions } = {}) {
  let go = (): void => undefined;
  const isFree = new Promise<void>((resolve) => (go = resolve));
  const handler: Handler = async (task) => {
    const cell = task.stream('cell', options);
    for (const value of values) {
      void cell.write(value);
      await task.message('Written.');
    }
    await isFree;
    if (ends) await cell.end();
  };
  return { handler, go: () => go() };
}

describe('a value of a handler', () => {
  test('is the one that was written last, and its closing fact has it, and how often it was written', async () => {
    const { handler, go } = stepping([{ rows: 1 }, { rows: 2 }, [null, 'ü']]);
    go();
    const host = await running(handler);
    expect((await ended(host)).state).toBe('completed');
    expect(await closings(host)).toEqual([{ part: 2, kind: 'latest', bytes: 3, outcome: 'DONE', text: '[null,"ü"]' }]);
    const [, opened] = await host.of.facts(host.taskId);
    expect(opened?.payload).toEqual({ name: 'cell', kind: 'latest' });
  });

  test('that was never written has none, and one that is too long for a fact stays in its lane', async () => {
    const large = 'x'.repeat(40_000);
    const host = await running(async (task) => {
      const values = [await task.stream('none', CELL).value];
      void task.stream('large', CELL).write(large);
      return values.map((value) => value === undefined);
    });
    expect((await ended(host)).result).toEqual([true]);
    expect(await closings(host)).toEqual([
      { part: 2, kind: 'latest', bytes: 0, outcome: 'DONE', text: '' },
      { part: 3, kind: 'latest', bytes: 1, outcome: 'DONE' },
    ]);
    const { parts = [] } = await host.of.snapshot(host.taskId);
    expect(parts.map(({ kind, bytes, text }) => [kind, bytes, text])).toEqual([
      ['latest', 0, ''],
      ['latest', 1, undefined],
    ]);
    expect(await read(host)).toMatchObject({ at: 0, to: 0, bytes: 0, text: '', outcome: 'DONE' });
    const whole = await host.of.bridge.tasks({ subject: 'alice' }).readPart(host.taskId, 3);
    expect(whole).toMatchObject({ at: 0, to: 1, bytes: 1, outcome: 'DONE' });
    expect(JSON.parse(whole.text)).toBe(large);
  });

  test.each<[string, Handler]>([
    ['returns', async (task) => void task.stream('cell', CELL).write(1)],
    [
      'throws',
      (task) => {
        void task.stream('cell', CELL).write(1);
        return Promise.reject(new Error('no'));
      },
    ],
  ])('that is open where the handler %s is closed with what was written', async (how, handler) => {
    const host = await running(handler);
    await ended(host);
    expect(await closings(host)).toEqual([
      { part: 2, kind: 'latest', bytes: 1, outcome: how === 'returns' ? 'DONE' : 'ABANDONED', text: '1' },
    ]);
  });

  test('is in the store before what is reported behind it, and of many only the newest', async () => {
    const { store, calls } = noted();
    const host = await running(async (task) => {
      const cell = task.stream('cell', CELL);
      for (let n = 0; n < 1000; n++) {
        void cell.write(n);
        if (n % 100 === 0) await new Promise(setImmediate);
      }
      await task.progress(50);
      return JSON.parse(calls.flat().map(textOf).at(-1) ?? 'null') as Json;
    }, store);
    expect((await ended(host)).result).toBe(999);
    expect(calls.flat().length).toBeLessThan(10);
    expect(await said(host)).toEqual(['STARTED', 'PART_OPENED', 'PROGRESS', 'PART_CLOSED', 'COMPLETED']);
  });

  test('that is too long fails the task where nobody hears of it, and only that', async () => {
    const host = await running(async (task) => {
      const cell = task.stream('cell', CELL);
      void cell.write('before');
      void cell.write('x'.repeat(LATEST_BYTES_MAX));
    });
    expect((await ended(host)).failure).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('65538 bytes') as string,
    });
    expect((await closings(host))[0]).toMatchObject({ outcome: 'ABANDONED', text: '"before"' });
  });
});

describe('a value that is open', () => {
  test('is listed, read and polled whole, with its version as its place', async () => {
    const { handler, go } = stepping([{ a: 1 }, { a: 'ü'.repeat(10) }]);
    const host = await running(handler);
    const value = JSON.stringify({ a: 'ü'.repeat(10) });
    const listed = await vi.waitFor(async () => {
      const [part] = (await host.of.snapshot(host.taskId)).parts ?? [];
      expect(part).toMatchObject({ part: 2, kind: 'latest', bytes: 2, open: true, text: value });
      return part;
    });
    expect(await read(host, '?offset=1&limit=4')).toMatchObject({ at: 1, to: 2, bytes: 2, text: value, open: true });
    expect(await read(host, '?offset=2')).toMatchObject({ at: 2, to: 2, text: '' });
    expect((await read(host, '?offset=3')).code).toBe('REQUEST_VALIDATION_ERROR');
    const frame = { type: 'PART', part: 2, at: 1, to: 2, text: value };
    expect(await polled(host)).toEqual([expect.objectContaining({ ...frame, kind: 'latest', snapshot: true })]);
    const cursor = (version: number, epoch = listed?.epoch) => ({ parts: `${listed?.eventId}.${version}.${epoch}` });
    expect(await polled(host, cursor(1))).toEqual([expect.objectContaining(frame)]);
    expect(await polled(host, cursor(2))).toEqual([]);
    // Of another epoch a version is of another value.
    expect(await polled(host, cursor(2, 'other'))).toEqual([expect.objectContaining({ ...frame, reset: true })]);
    go();
    await ended(host);
  });

  test('goes on in another epoch where the store has lost its newest versions, and its viewers begin anew', async () => {
    const memory = createMemory();
    const { handler, go } = stepping(['one', 'two', 'three'], { ends: false });
    let next = (): void => undefined;
    const isNext = new Promise<void>((resolve) => (next = resolve));
    const host = await running(async (task) => {
      const cell = task.stream('cell', CELL);
      for (const value of ['one', 'two', 'three']) {
        void cell.write(value);
        await task.message('Written.');
      }
      await isNext;
      void cell.write('four');
      await task.message('Written.');
      await handler(task);
    }, memoryStore({ memory }));
    await vi.waitFor(async () => expect(await polled(host)).toMatchObject([{ to: 3, text: '"three"' }]));
    const [before] = await polled(host);
    // As where a replica takes over that had not heard of the last two.
    const lane = [...(memory.tasks.get(host.taskId)?.lanes.values() ?? [])][0];
    if (lane) Object.assign(lane, { buffer: Buffer.from('"one"'), length: 1 });
    next();
    await vi.waitFor(async () => expect(await polled(host)).toMatchObject([{ to: 2, text: '"four"' }, {}]));
    const since = await polled(host, { parts: `${before?.eventId}.3.${before?.epoch}` });
    expect(since[0]).toMatchObject({ to: 2, text: '"four"', reset: true });
    go();
    expect((await ended(host)).state).toBe('completed');
  });
});

describe('a run that begins again', () => {
  /** Runs a handler on a node that is gone in the midst of it, then on another one. */
  async function twice(options: ValueOptions, kind: ValueOptions['kind'] | 'text' = 'latest') {
    const memory = createMemory();
    const left: (Json | undefined)[] = [];
    const run: Handler = async (task: Task) => {
      if (task.attempt === 1 && kind === 'text') {
        void task.stream('cell', { kind: 'text', onRerun: 'continue' }).write('text');
        await task.save(1);
        return new Promise<never>(() => undefined);
      }
      const cell = task.stream('cell', options);
      left.push(await cell.value);
      void cell.write({ attempt: task.attempt });
      await task.save(1);
      if (task.attempt === 1) return new Promise<never>(() => undefined);
    };
    const node = () =>
      bridgeOf(inProcess({ work: { run, repeatable: true } }, { logger: quiet }), { store: memoryStore({ memory }), logger: quiet });
    const first = await node();
    const taskId = await first.start('work');
    await vi.waitFor(async () => {
      const store = memoryStore({ memory });
      await store.open();
      expect((await store.sideValues(taskId, ['saved']))[0]).toBe('1');
    });
    const of = await node();
    await first.close();
    const host = { of, taskId };
    await ended(host);
    return { left, closed: (await closings(host)).map(({ part, outcome, bytes, text }) => [part, outcome, bytes, text]) };
  }

  test('abandons the value that it wrote before, and opens another one', async () => {
    expect(await twice(CELL)).toEqual({
      left: [undefined, undefined],
      closed: [
        [2, 'ABANDONED', 1, '{"attempt":1}'],
        [4, 'DONE', 1, '{"attempt":2}'],
      ],
    });
  });

  test('goes on with it where the handler wishes so, knows it, and its version rises', async () => {
    expect(await twice({ ...CELL, onRerun: 'continue' })).toEqual({
      left: [undefined, { attempt: 1 }],
      closed: [[2, 'DONE', 2, '{"attempt":2}']],
    });
  });

  test('does not go on with a text as with a value', async () => {
    const { left, closed } = await twice({ ...CELL, onRerun: 'continue' }, 'text');
    expect(left).toEqual([undefined]);
    expect(closed.toSorted()).toEqual([
      [2, 'ABANDONED', 4, 'text'],
      [3, 'DONE', 1, '{"attempt":2}'],
    ]);
  });
});

test('a flush that no store may take is refused, and those beside it are written', async () => {
  const store = memoryStore();
  const lanes = store.lanes as Lanes;
  const taken: number[] = [];
  const flush: Lanes['flush'] = (flushes) => {
    taken.push(...flushes.map(({ bytes }) => bytes.byteLength));
    return lanes.flush(flushes);
  };
  const flusher = new PartFlusher({ lanes: { flush } });
  const fence: Fence = { taskId: 't', lane: '2-1' as Fence['lane'], epoch: { mark: 'm', was: null, from: 0 }, attempt: 1, node: 'n' };
  await store.open();
  const bytes = (count: number) => new Uint8Array(count);
  const most = 4 * 1024 * 1024;
  const answers = await Promise.allSettled([
    flusher.flush({ fence: { ...fence, latest: true }, at: 0, bytes: bytes(LATEST_BYTES_MAX + 1) }),
    flusher.flush({ fence: { ...fence, latest: true }, at: most, bytes: bytes(1) }),
    flusher.flush({ fence: { ...fence, latest: true }, at: most - 1, bytes: bytes(LATEST_BYTES_MAX) }),
    flusher.flush({ fence, at: most - 1, bytes: bytes(2) }),
  ]);
  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : (answer.reason as { code: string }).code))).toEqual([
    'PAYLOAD_TOO_LARGE',
    'PAYLOAD_TOO_LARGE',
    'fenced',
    'PAYLOAD_TOO_LARGE',
  ]);
  expect(taken).toEqual([LATEST_BYTES_MAX]);
});

describe.each<[string, () => Promise<Store>]>([
  [
    'LMDB',
    async () => {
      const path = await mkdtemp(join(tmpdir(), 'taskbridge-values-'));
      onTestFinished(() => rm(path, { recursive: true, force: true }));
      return lmdbStore({ path });
    },
  ],
  [
    'Redis',
    async () => {
      const server = await startRedis('--appendonly', 'no');
      const client = new Redis(server.port);
      onTestFinished(async () => {
        client.disconnect();
        await server.stop();
      });
      return redisStore(client);
    },
  ],
])('on %s', (_, open) => {
  test('a value is polled while it is open, told to who waits, and closed with its last one', { timeout: patience(30_000) }, async () => {
    const large = 'ü'.repeat(25_000);
    const { handler, go } = stepping(['one', large]);
    const host = await running(handler, await open());
    const [frame] = await vi.waitFor(
      async () => {
        const frames = await polled(host);
        expect(frames).toMatchObject([{ at: 1, to: 2, kind: 'latest' }]);
        return frames;
      },
      { timeout: patience(10_000) },
    );
    expect(JSON.parse(frame?.text ?? '')).toBe(large);
    go();
    expect((await ended(host)).state).toBe('completed');
    expect(await closings(host)).toEqual([{ part: 2, kind: 'latest', bytes: 2, outcome: 'DONE' }]);
    const { text, ...about } = await read(host);
    expect([JSON.parse(text) === large, about]).toMatchObject([true, { bytes: 2, open: false, outcome: 'DONE' }]);
  });
});
