import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { serveRpc } from '../rpc/server.ts';
import { factsAfter } from './bare/facts-after.ts';
import { bareMethods } from './bare/tasks.ts';
import { notifier } from './bare/notifier.ts';

// Bare `node:http`: server-sent events by `res.write`, corked, so that what one turn of the event loop has for a viewer goes out in one write;
// polls and snapshots by one read of Redis. `bare-http.js <Redis port> [joined]`: joined, the facts of a turn are made one buffer once for all viewers.
const redis = new Redis(Number(process.argv[2]));
const hear = notifier(redis.duplicate());
const viewersOf = new Map<string, Set<ServerResponse>>();
const TASK = /^\/api\/v1\/tasks\/([0-9a-f]{32})(\/events)?(\/stream)?$/;
const isJoined = process.argv[3] === 'joined';
const ID = /"eventId":"([^"]*)"/;

function eventOf(fact: Buffer): Buffer {
  const text = fact.toString('utf8');
  return Buffer.from(`id: ${ID.exec(text)?.[1]}\ndata: ${text}\n\n`);
}

function write(res: ServerResponse, events: readonly Buffer[]): void {
  res.cork();
  for (const event of events) res.write(event);
  res.uncork();
}

async function stream(res: ServerResponse, taskId: string, cursor: string): Promise<void> {
  res.socket?.setNoDelay(true);
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
  res.write(': hello\n\n');
  const missed = await factsAfter(redis, taskId, cursor, 1000);
  write(res, missed.map(eventOf));
  const viewers = viewersOf.get(taskId);
  viewers?.add(res);
  res.once('close', () => viewers?.delete(res));
}

async function poll(res: ServerResponse, taskId: string, query: URLSearchParams): Promise<void> {
  const after = query.get('afterEventId') ?? '';
  const facts = await factsAfter(redis, taskId, after, Number(query.get('maxEvents') ?? 100));
  // A waiting poll is held, and nothing more: this is what its connection costs.
  if (facts.length === 0 && Number(query.get('waitTimeoutMs')) > 0) return;
  const last = facts.at(-1);
  const next = last ? ID.exec(last.toString('utf8'))?.[1] : after;
  answer(res, Buffer.from(`{"taskId":"${taskId}","events":[${facts.join(',')}],"nextAfterEventId":"${next}","hasMore":false}`));
}

async function snapshot(res: ServerResponse, taskId: string): Promise<void> {
  const head = await redis.hgetBuffer(`bare:task:${taskId}`, 'head');
  answer(res, head ?? Buffer.from('null'));
}

function answer(res: ServerResponse, body: Buffer): void {
  res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }).end(body);
}

const server = createServer((req, res) => {
  const [path = '', query] = (req.url ?? '').split('?');
  const [, taskId, events, streams] = TASK.exec(path) ?? [];
  if (taskId === undefined) res.writeHead(404).end();
  else if (!events) void snapshot(res, taskId);
  else if (streams) void stream(res, taskId, String(req.headers['last-event-id'] ?? ''));
  else void poll(res, taskId, new URLSearchParams(query));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

await serveRpc(
  bareMethods(redis, async (task) => {
    const viewers = new Set<ServerResponse>();
    viewersOf.set(task.taskId, viewers);
    await hear(task, (facts) => {
      const events = facts.map(eventOf);
      const written = isJoined ? [Buffer.concat(events)] : events;
      for (const res of viewers) write(res, written);
    });
  }),
  { port: (server.address() as AddressInfo).port },
);
