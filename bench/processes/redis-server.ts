import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { CleanupStack } from './cleanup-stack.ts';

/** The Redis server of a run: on a free port, without persistence. */
export interface RedisServer {
  readonly port: number;
  readonly version: string;
  /** A connection of the bench's own, to count others and to throw away what was measured. */
  readonly client: Redis;
}

/** Starts it. Rejects with a sentence where there is none to start. */
export async function startRedis(cleanup: CleanupStack): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'taskbridge-bench-'));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      // Not to be interrupted before those that use it.
      detached: true,
    },
  );
  const failed = once(child, 'exit').then(
    () => Promise.reject(new Error('redis-server ended before it was ready.')),
    (error: Error) => Promise.reject(new Error(`redis-server cannot be started (${error.message}): the bench needs Redis 7.`)),
  );
  failed.catch(() => undefined);
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  process.once('exit', () => child.kill('SIGKILL'));
  cleanup.add(async () => {
    client.disconnect();
    if (child.exitCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await rm(directory, { recursive: true, force: true });
  });
  const info = await Promise.race([client.info('server'), failed]);
  return { port, client, version: /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown' };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
