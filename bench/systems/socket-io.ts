import { createAdapter } from '@socket.io/redis-streams-adapter';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { serveRpc } from '../rpc/server.ts';
import { factPayload, type BenchedSystem } from './system.ts';
import { cpuMicroseconds, lanes, settledMemory } from './own-process.ts';

// Socket.IO with its adapter for Redis streams and the recovery of connections: what comes nearest to a log of it. `socket-io.js <Redis port>`
const redis = new Redis(Number(process.argv[2]));
const server = createServer();
const io = new Server(server, {
  adapter: createAdapter(redis),
  transports: ['websocket'],
  // Our clients never answer; so rarely, heartbeats cost nobody anything.
  pingInterval: 3_600_000,
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
});
const told = new Map<string, number>();

io.on('connection', (socket) => {
  // A room for each task; the id comes with the handshake.
  const { task } = socket.handshake.query;
  if (typeof task === 'string' && !socket.recovered) void socket.join(task);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

function emit(taskId: string, at?: string): void {
  const n = (told.get(taskId) ?? 0) + 1;
  told.set(taskId, n);
  const now = Date.now();
  const createdAt = new Date(now).toISOString();
  io.to(taskId).emit('fact', { type: 'TASK_PROGRESS', taskId, eventId: `${n}-${now}`, createdAt, payload: factPayload(n, at) });
}

await serveRpc<BenchedSystem>(
  {
    createTasks: async ({ count }) => Array.from({ length: count }, () => randomBytes(16).toString('hex')),
    async append({ tasks, inFlight, ms }) {
      let facts = 0;
      // What is emitted is on its way to the stream; a command behind it comes back when it is there.
      const took = await lanes(inFlight, ms, async (lane) => {
        emit(tasks[lane % tasks.length] ?? '');
        await redis.ping();
        facts += 1;
      });
      return { facts, ms: took };
    },
    publish({ taskId, count, at }) {
      for (let i = 0; i < count; i += 1) emit(taskId, at);
    },
    async fill({ taskId, count }) {
      for (let i = 0; i < count; i += 1) emit(taskId);
      await redis.ping();
      return '';
    },
    appendEach: () => Promise.reject(new Error('Socket.IO has no log of a task.')),
    cpu: cpuMicroseconds,
    memory: settledMemory,
  },
  { port: (server.address() as AddressInfo).port },
);
