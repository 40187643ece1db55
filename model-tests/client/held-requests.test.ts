import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client';
import { heldRequests } from 'taskbridge/client/transports';
import { processLocks, tabRequests } from 'taskbridge/client/tabs';
import { onLoopback } from '../support/loopback.ts';

const taskOf = (n: number): string => `a7${String(n).padStart(30, '0')}`;
const fact = (taskId: string, n: number, type = 'TASK_MESSAGE'): object => ({
  type,
  taskId,
  eventId: `${n}-${1_790_000_000_000 + n}`,
  createdAt: '2026-09-21T14:13:20.000Z',
  payload: type === 'TASK_COMPLETED' ? { result: {} } : { message: String(n) },
});

/** A server that holds what it may, and counts it. */
async function holdingServer() {
  const held = new Set<ServerResponse>();
  const polls = { waiting: 0, short: 0, together: 0, mostTogether: 0 };
  let most = 0;
  const ends = new Set<string>();
  const urls: string[] = [];
  const hold = (res: ServerResponse): void => {
    held.add(res);
    most = Math.max(most, held.size);
    res.on('close', () => held.delete(res));
  };
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const url = new URL(req.url ?? '', 'http://host');
    urls.push(req.url ?? '');
    const [, taskId = '', rest = ''] = /\/tasks\/([^/]+)(.*)/.exec(url.pathname) ?? [];
    if (rest === '/cancel') return void res.writeHead(202).end(JSON.stringify({ taskId, status: 'CANCELLATION_REQUESTED' }));
    if (rest === '/events/stream') {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${JSON.stringify(fact(taskId, 1))}\n\n`);
      return hold(res);
    }
    const after = url.searchParams.get('afterEventId');
    const events = after === null ? [fact(taskId, 1)] : ends.has(taskId) ? [fact(taskId, 2, 'TASK_COMPLETED')] : [];
    if (events.length === 0 && url.searchParams.get('waitTimeoutMs') !== '0') {
      polls.waiting += 1;
      return hold(res);
    }
    const isShort = after !== null;
    if (isShort) {
      polls.short += 1;
      polls.together += 1;
      polls.mostTogether = Math.max(polls.mostTogether, polls.together);
    }
    const last = events.at(-1) as { eventId?: string } | undefined;
    setImmediate(() => {
      if (isShort) polls.together -= 1;
      res.writeHead(200).end(
        JSON.stringify({
          taskId,
          events,
          nextAfterEventId: last?.eventId ?? after,
          hasMore: false,
          terminal: ends.has(taskId) && after !== null,
        }),
      );
    });
  };
  const { url, close } = await onLoopback(createServer(answer));
  onTestFinished(() => close());
  return {
    url,
    urls,
    polls,
    held,
    ends,
    get most() {
      return most;
    },
  };
}

function clientOf(baseUrl: string, options: Partial<TaskBridgeClientOptions> = {}): TaskBridgeClient {
  const client = createTaskBridgeClient({
    baseUrl,
    transports: ['sse', 'poll'],
    ...options,
    limits: { emptyPauseMs: 10, backoffBaseMs: 1, ...options.limits },
  });
  onTestFinished(() => client.close());
  return client;
}

/** Watches so many tasks; resolves when each has brought a fact. */
async function watchMany(client: TaskBridgeClient, count: number): Promise<Promise<void>[]> {
  const met = new Set<string>();
  const over = Array.from({ length: count }, async (_, n) => {
    for await (const { taskId } of client.observe(taskOf(n))) met.add(taskId);
  });
  over.forEach((each) => void each.catch(() => undefined));
  await vi.waitFor(() => expect(met.size).toBe(count));
  return over;
}

describe('a client that watches many tasks', () => {
  test('holds four streams, asks for the other tasks in turn, and has a connection for a command', async () => {
    const server = await holdingServer();
    const client = clientOf(server.url);
    const over = await watchMany(client, 8);
    await vi.waitFor(() => expect(server.polls.short).toBeGreaterThan(8));
    expect(await client.cancel(taskOf(0))).toMatchObject({ status: 'CANCELLATION_REQUESTED' });
    expect([server.most, server.held.size, server.polls.waiting, server.polls.mostTogether]).toEqual([4, 4, 0, 1]);
    // What is asked for in turn comes to its end, too.
    for (let n = 4; n < 8; n += 1) server.ends.add(taskOf(n));
    await Promise.all(over.slice(4));
  });

  test('holds four polls, and another one as soon as there is a place', async () => {
    const server = await holdingServer();
    const client = clientOf(server.url, { transports: ['poll'] });
    void (await watchMany(client, 6));
    await vi.waitFor(() => expect([server.held.size, server.polls.short > 4]).toEqual([4, true]));
    const [first] = server.held;
    const before = server.polls.waiting;
    first?.writeHead(200).end('{"taskId":"x","events":[],"nextAfterEventId":null,"hasMore":false,"terminal":false}');
    await vi.waitFor(() => expect([server.held.size, server.polls.waiting > before]).toEqual([4, true]));
    expect(server.most).toBe(4);
  });

  test('holds as many as it is told that it may', async () => {
    const server = await holdingServer();
    void (await watchMany(clientOf(server.url, { limits: { heldRequestsMax: 7 } }), 8));
    await vi.waitFor(() => expect(server.held.size).toBe(7));
  });

  test('holds a stream for each where polls are not allowed', async () => {
    const server = await holdingServer();
    void (await watchMany(clientOf(server.url, { transports: ['sse'] }), 6));
    expect(server.held.size).toBe(6);
  });

  test('shares its places with all who are given the same ones, tabs among them', async () => {
    const server = await holdingServer();
    const locks = processLocks();
    // Each tab has its own, made of the locks of all.
    for (let tab = 0; tab < 3; tab += 1)
      void (await watchMany(clientOf(server.url, { heldRequests: tabRequests({ name: server.url, locks }) }), 3));
    expect([server.most, server.held.size]).toEqual([4, 4]);
  });

  test('asks no cache: no two polls have the same address', async () => {
    const server = await holdingServer();
    void (await watchMany(clientOf(server.url, { transports: ['poll'], limits: { heldRequestsMax: 1 } }), 3));
    await vi.waitFor(() => expect(server.polls.short).toBeGreaterThan(6));
    const polls = server.urls.filter((url) => url.includes('waitTimeoutMs'));
    expect(new Set(polls).size).toBe(polls.length);
  });
});

describe('places', () => {
  test('are as many as was said, and free again when they are given back', async () => {
    for (const places of [heldRequests(2), tabRequests({ name: 'a', most: 2, locks: processLocks() })]) {
      const [one, two, three] = [await places.take(), await places.take(), await places.take()];
      expect([typeof one, typeof two, three]).toEqual(['function', 'function', undefined]);
      one?.();
      expect(typeof (await places.take())).toBe('function');
      expect(await places.take()).toBeUndefined();
    }
  });

  test.each([
    [{ name: ' ' }, /name must be text/],
    [{ name: 'a', most: 0 }, /most must be a positive whole number/],
  ])('of tabs refuse %j', (options, message) => {
    expect(() => tabRequests({ locks: processLocks(), ...options })).toThrow(message);
  });
});

describe('the cursor of a stream', () => {
  test.each([
    ['a header in a page of its own origin', (url: string) => url, true],
    ['a query in a page of another origin, so that it needs no preflight of its own', () => 'https://elsewhere.example', false],
    ['a header where there is no page', () => undefined, true],
  ])('is %s', async (_what, originOf, isHeader) => {
    const seen: { url: string; header: unknown }[] = [];
    const { url, close } = await onLoopback(
      createServer((req, res) => {
        seen.push({ url: req.url ?? '', header: req.headers['last-event-id'] });
        res.writeHead(204).end();
      }),
    );
    onTestFinished(() => close());
    const origin = originOf(url);
    vi.stubGlobal('location', origin === undefined ? undefined : { origin });
    onTestFinished(() => void vi.unstubAllGlobals());
    const client = clientOf(url, { transports: ['sse'] });
    const observation = client.observe(taskOf(1), { lastEventId: '3-1790000000003' });
    onTestFinished(() => observation.close());
    await vi.waitFor(() => expect(seen.some(({ url: path }) => path.includes('/events/stream'))).toBe(true));
    const stream = seen.find(({ url: path }) => path.includes('/events/stream'));
    expect(stream?.header).toBe(isHeader ? '3-1790000000003' : undefined);
    expect(stream?.url.includes('lastEventId=3-1790000000003')).toBe(!isHeader);
  });
});
