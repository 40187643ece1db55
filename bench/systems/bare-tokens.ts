import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Redis } from 'ioredis';
import { WebSocketServer, type WebSocket } from 'ws';
import { serveRpc } from '../rpc/server.ts';
import { cpuMicroseconds, settledMemory } from './own-process.ts';
import { joinText, sayTokens, type TokenSystem } from './token-system.ts';

// The least that shows texts which grow: tokens are gathered for 50 ms, but for the first, added by a script for 25 texts at most, told, and sent as one frame to each viewer,
// corked. Nobody is asked who he is, nothing is fenced, nothing that is missing is noticed. `bare-tokens.js <Redis port>`
interface Viewer {
  readonly ws: WebSocket;
  readonly socket: Socket;
}

interface BareText {
  readonly taskId: string;
  readonly key: string;
  readonly viewers: Set<Viewer>;
  waiting: string;
  isResting: boolean;
  at: number;
}

const redis = new Redis(Number(process.argv[2]));
const subscriber = redis.duplicate();
const FLUSH_MS = 50;
const TEXTS_A_CALL = 25;
const ADD = `
for i, key in ipairs(KEYS) do
  if redis.call('STRLEN', key) ~= tonumber(ARGV[2 * i - 1]) then return redis.error_reply('another length') end
  redis.call('APPEND', key, ARGV[2 * i])
  redis.call('PUBLISH', key, ARGV[2 * i - 1] .. '\\n' .. ARGV[2 * i])
end`;
redis.defineCommand('add', { lua: ADD });
// What `defineCommand` adds is not in the type.
const scripts = redis as unknown as { add(count: number, ...args: (string | Buffer)[]): Promise<unknown> };

const texts = new Map<string, BareText>();
const byKey = new Map<string, BareText>();
let ready: BareText[] = [];

function textOf(taskId: string | undefined): BareText {
  const text = texts.get(taskId ?? '');
  if (!text) throw new Error(`There is no text ${taskId}.`);
  return text;
}

function write(text: BareText, token: string): void {
  text.waiting += token;
  if (!text.isResting) flushSoon(text);
}

/** Rests between two flushes, as ours does. */
function flushSoon(text: BareText): void {
  text.isResting = true;
  if (ready.push(text) === 1) setImmediate(flush);
  setTimeout(() => {
    text.isResting = false;
    if (text.waiting !== '') flushSoon(text);
  }, FLUSH_MS);
}

function flush(): void {
  const all = ready;
  ready = [];
  for (let from = 0; from < all.length; from += TEXTS_A_CALL) {
    const some = all.slice(from, from + TEXTS_A_CALL);
    const args: (string | Buffer)[] = some.map(({ key }) => key);
    for (const text of some) {
      const bytes = Buffer.from(text.waiting);
      args.push(String(text.at), bytes);
      text.at += bytes.length;
      text.waiting = '';
    }
    void scripts.add(some.length, ...args);
  }
}

function frameOf({ taskId }: BareText, message: Buffer): Buffer {
  const cut = message.indexOf('\n');
  const at = Number(message.toString('latin1', 0, cut));
  return Buffer.from(
    JSON.stringify({ type: 'PART', taskId, part: 3, at, to: at + message.length - cut - 1, text: message.toString('utf8', cut + 1) }),
  );
}

subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
  const text = byKey.get(channel.toString('latin1'));
  if (!text || text.viewers.size === 0) return;
  const frame = frameOf(text, message);
  for (const { ws, socket } of text.viewers) {
    socket.cork();
    ws.send(frame, { binary: false });
    socket.uncork();
  }
});

async function subscribe(viewer: Viewer, { taskId }: { readonly taskId: string }): Promise<void> {
  const text = textOf(taskId);
  viewer.ws.send(JSON.stringify({ type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId: null, live: true }));
  text.viewers.add(viewer);
  viewer.ws.once('close', () => text.viewers.delete(viewer));
  const whole = await redis.getrangeBuffer(text.key, 0, -1);
  if (whole.length > 0) viewer.ws.send(whole, { binary: false });
}

const sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
const server = createServer();
server.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.on('error', () => undefined);
    // Text comes as one buffer, and from our own client.
    ws.once('message', (data: Buffer) => void subscribe({ ws, socket: request.socket }, JSON.parse(data.toString()) as { taskId: string }));
  }),
);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

async function create(): Promise<string> {
  const taskId = randomBytes(16).toString('hex');
  const text = { taskId, key: `bare:text:${taskId}`, viewers: new Set<Viewer>(), waiting: '', isResting: false, at: 0 };
  texts.set(taskId, text);
  byKey.set(text.key, text);
  await subscriber.subscribe(text.key);
  return taskId;
}

const system: TokenSystem = {
  create: ({ count }) => Promise.all(Array.from({ length: count }, create)),
  open: () => Promise.resolve(),
  say(pace) {
    if (pace.as === 'facts') throw new Error('Bare tokens are text.');
    const said = pace.tasks.map(textOf);
    return sayTokens(pace, (nth, token) => {
      const text = said[nth];
      if (text) write(text, token);
    });
  },
  async fill({ bytes }) {
    const taskId = await create();
    await redis.set(textOf(taskId).key, joinText(bytes));
    return taskId;
  },
  cpu: cpuMicroseconds,
  memory: settledMemory,
};

await serveRpc<TokenSystem>(system, { port: (server.address() as AddressInfo).port });
