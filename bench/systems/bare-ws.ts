import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Redis } from 'ioredis';
import { WebSocketServer, type WebSocket } from 'ws';
import { serveRpc } from '../rpc/server.ts';
import { factsAfter } from './bare/facts-after.ts';
import { bareMethods } from './bare/tasks.ts';
import { notifier } from './bare/notifier.ts';

// Bare `ws`: what one turn of the event loop has for a socket is corked and goes out in one write. `bare-ws.js <Redis port>`
interface Viewer {
  readonly ws: WebSocket;
  readonly socket: Socket;
}

const redis = new Redis(Number(process.argv[2]));
const hear = notifier(redis.duplicate());
const viewersOf = new Map<string, Set<Viewer>>();

function send({ ws, socket }: Viewer, facts: readonly Buffer[]): void {
  socket.cork();
  for (const fact of facts) ws.send(fact, { binary: false });
  socket.uncork();
}

async function subscribe(viewer: Viewer, frame: { readonly taskId: string; readonly lastEventId?: string }): Promise<void> {
  const { taskId, lastEventId = '' } = frame;
  viewer.ws.send(JSON.stringify({ type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId: lastEventId || null, live: true }));
  const missed = await factsAfter(redis, taskId, lastEventId, 1000);
  if (missed.length > 0) send(viewer, missed);
  const viewers = viewersOf.get(taskId);
  viewers?.add(viewer);
  viewer.ws.once('close', () => viewers?.delete(viewer));
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

await serveRpc(
  bareMethods(redis, async (task) => {
    const viewers = new Set<Viewer>();
    viewersOf.set(task.taskId, viewers);
    await hear(task, (facts) => {
      for (const viewer of viewers) send(viewer, facts);
    });
  }),
  { port: (server.address() as AddressInfo).port },
);
