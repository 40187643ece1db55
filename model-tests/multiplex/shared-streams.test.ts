import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { sharedStreams } from 'taskbridge/client/streams';
import type { TaskBridgeClientOptions } from 'taskbridge/client/node';
import { until } from '../support/until.ts';
import { bridgeFixture, consume, type BridgeFixture, type ManualTask } from './bridge-fixture.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const startMany = (stage: BridgeFixture, count: number): Promise<ManualTask[]> => Promise.all(range(count).map(() => stage.start()));

/** The streams of a server, as they come and go. */
interface Streams {
  /** What was asked for, by path and tasks. */
  readonly asked: { readonly isShared: boolean; readonly set: readonly string[]; readonly res: ServerResponse }[];
  readonly open: ReadonlySet<ServerResponse>;
  /** The most that were open at a time. */
  readonly most: number;
}

function streamsOf({ server }: BridgeFixture, answer?: (req: IncomingMessage, res: ServerResponse) => boolean): Streams {
  const asked: Streams['asked'] = [];
  const open = new Set<ServerResponse>();
  let most = 0;
  const [listener] = server.listeners('request') as ((req: IncomingMessage, res: ServerResponse) => void)[];
  server.removeAllListeners('request');
  server.on('request', (req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://host');
    if (pathname.endsWith('/events/stream')) {
      asked.push({ isShared: pathname === '/api/v1/tasks/events/stream', set: searchParams.get('tasks')?.split(',') ?? [], res });
      open.add(res);
      most = Math.max(most, open.size);
      res.on('close', () => open.delete(res));
      if (answer?.(req, res)) return;
    }
    listener?.(req, res);
  });
  return {
    asked,
    open,
    get most() {
      return most;
    },
  };
}

const shared = (options: Partial<TaskBridgeClientOptions> = {}): Partial<TaskBridgeClientOptions> => ({
  streams: sharedStreams(),
  transports: ['sse', 'poll'],
  ...options,
});

describe('tasks on shared streams', () => {
  test('are 50 on one, in few requests, each log complete, once and in order', async () => {
    const stage = await bridgeFixture();
    const streams = streamsOf(stage);
    const works = await startMany(stage, 50);
    const client = stage.client(shared());
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await Promise.all(works.map((work, i) => work.report(1 + (i % 7) * 3)));
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(streams.asked.every(({ isShared }) => isShared)).toBe(true);
    // The first is asked for with what is there; the others wait until it is.
    expect(streams.asked.length).toBeLessThan(6);
    expect(streams.most).toBeLessThan(3);
    await vi.waitFor(() => expect(streams.open.size).toBe(0));
  });

  test('that come later are on another stream, which is there before the former goes', async () => {
    const stage = await bridgeFixture();
    const streams = streamsOf(stage);
    const [first, second] = (await startMany(stage, 2)) as [ManualTask, ManualTask];
    const client = stage.client(shared());
    const readers = [consume(client.observe(first.taskId))];
    await first.report(3);
    await vi.waitFor(() => expect(readers[0]?.ids).toHaveLength(4));
    readers.push(consume(client.observe(second.taskId)));
    await second.report(2);
    await vi.waitFor(() => expect(readers[1]?.ids).toHaveLength(3));
    expect(streams.asked.map(({ set }) => set)).toEqual([
      [`${first.taskId}@`],
      [`${first.taskId}@${readers[0]?.ids.at(-1)}`, `${second.taskId}@`],
    ]);
    expect(streams.most).toBe(2);
    await vi.waitFor(() => expect(streams.open.size).toBe(1));
    for (const work of [first, second]) await work.finish();
    await Promise.all(readers.map(({ over }) => over));
    expect(readers.map(({ ids }) => ids)).toEqual([await first.log(), await second.log()]);
    expect(streams.asked).toHaveLength(2);
  });

  test('that are all cut come back by one stream, without loss or repetition', async () => {
    const stage = await bridgeFixture();
    const streams = streamsOf(stage);
    const works = await startMany(stage, 10);
    const client = stage.client(shared());
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    for (const work of works) await work.report(5);
    await vi.waitFor(() => expect(readers.every(({ ids }) => ids.length === 6)).toBe(true));
    const before = streams.asked.length;
    for (const res of streams.open) res.destroy();
    for (const work of works) await work.report(5);
    for (const work of works) await work.finish();
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(streams.asked.length - before).toBeLessThan(6);
  });

  test('that are refused say so alone, and one that is finished is done', async () => {
    const stage = await bridgeFixture();
    streamsOf(stage);
    const works = await startMany(stage, 3);
    await works[0]?.finish();
    const client = stage.client(shared());
    const unknown = consume(client.observe('f'.repeat(32)));
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await readers[0]?.over;
    await expect(unknown.over).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    for (const work of works.slice(1)) await work.report(2);
    for (const work of works.slice(1)) await work.finish();
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
  });

  test('have one each where the server has no shared ones', async () => {
    const stage = await bridgeFixture({ routes: { sharedStream: '/elsewhere' } });
    const streams = streamsOf(stage);
    const works = await startMany(stage, 3);
    const client = stage.client(shared());
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    for (const work of works) await work.report(2);
    for (const work of works) await work.finish();
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(streams.asked.filter(({ isShared }) => isShared)).toHaveLength(1);
    expect(streams.asked.filter(({ isShared }) => !isShared)).toHaveLength(3);
  });

  test('are 64 on a stream, and more than that on two', async () => {
    const stage = await bridgeFixture();
    const streams = streamsOf(stage);
    const works = await startMany(stage, 70);
    const client = stage.client(shared());
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await vi.waitFor(() => expect(readers.every(({ ids }) => ids.length > 0)).toBe(true));
    expect(Math.max(...streams.asked.map(({ set }) => set.length))).toBe(64);
    await vi.waitFor(() => expect(streams.open.size).toBe(2));
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
  });

  test('that a slow consumer pauses go on from there, while the others flow', async () => {
    const stage = await bridgeFixture();
    streamsOf(stage);
    const works = (await startMany(stage, 2)) as [ManualTask, ManualTask];
    const client = stage.client(shared({ limits: { undeliveredMax: 10 } }));
    let go: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const slowOne = client.observe(works[0].taskId);
    const slow = consume(slowOne, () => held);
    const other = consume(client.observe(works[1].taskId));
    await works[0].report(50);
    await until(slowOne, ({ connection }) => connection.state === 'paused');
    await works[1].report(20);
    await vi.waitFor(() => expect(other.ids).toHaveLength(21));
    expect(slow.ids).toHaveLength(1);
    go?.();
    for (const work of works) await work.finish();
    await Promise.all([slow.over, other.over]);
    expect(slow.ids).toEqual(await works[0].log());
  });

  test('that were left are on no further stream, and the last one closes it', async () => {
    const stage = await bridgeFixture();
    const streams = streamsOf(stage);
    const [first, second] = (await startMany(stage, 2)) as [ManualTask, ManualTask];
    const client = stage.client(shared());
    const [left, stays] = [client.observe(first.taskId), client.observe(second.taskId)];
    const readers = [consume(left), consume(stays)];
    for (const work of [first, second]) await work.report(1);
    await vi.waitFor(() => expect(readers.map(({ ids }) => ids.length)).toEqual([2, 2]));
    const before = streams.asked.length;
    left.close();
    // What comes for it is what shows that it is still shown.
    await first.report(1);
    await vi.waitFor(() => expect(streams.asked.slice(before).map(({ set }) => set.length)).toEqual([1]));
    await vi.waitFor(() => expect(streams.open.size).toBe(1));
    stays.close();
    await vi.waitFor(() => expect(streams.open.size).toBe(0));
  });

  test('go on by the stream that they have where another one is refused', async () => {
    const stage = await bridgeFixture();
    let refuses = false;
    const streams = streamsOf(stage, (_req, res) => {
      if (refuses) res.writeHead(503, { 'retry-after': '1' }).end('{}');
      return refuses;
    });
    const [first, second] = (await startMany(stage, 2)) as [ManualTask, ManualTask];
    const client = stage.client(shared());
    const reader = consume(client.observe(first.taskId));
    await first.report(1);
    await vi.waitFor(() => expect(reader.ids).toHaveLength(2));
    refuses = true;
    const late = consume(client.observe(second.taskId));
    await vi.waitFor(() => expect(streams.asked.length).toBeGreaterThan(1));
    await first.report(1);
    await vi.waitFor(() => expect(reader.ids).toHaveLength(3));
    refuses = false;
    for (const work of [first, second]) await work.finish();
    await Promise.all([reader.over, late.over]);
    expect(late.ids).toEqual(await second.log());
  });

  test('move to a stream with the new token when credentials are renewed', async () => {
    const stage = await bridgeFixture();
    const streams = streamsOf(stage);
    const works = await startMany(stage, 3);
    let token = 'first';
    const auth = ({ forceRefresh }: { forceRefresh: boolean }): { token: string; expiresAt: number } => {
      if (forceRefresh) token = 'second';
      return { token, expiresAt: Date.now() + (token === 'first' ? 400 : 3_600_000) };
    };
    const client = stage.client(shared({ auth, limits: { renewBeforeMs: 200 } }));
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    for (const work of works) await work.report(1);
    const isRenewed = (): boolean => [...streams.open].every(({ req }) => req.headers.authorization === 'Bearer second');
    await vi.waitFor(() => expect(streams.open.size === 1 && isRenewed()).toBe(true));
    for (const work of works) await work.finish();
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
  });
});
