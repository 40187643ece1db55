import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { startRedis } from '../redis/redis-server.ts';
import { printed, startProcess } from '../support/child-process.ts';

/** The original's server in a process of its own, with a Redis of its own. */
export interface OriginalHost {
  readonly port: number;
  readonly baseUrl: string;
  /** Where its Redis listens. */
  readonly redisPort: number;
  /** What it says that it is: name and version of the published package. */
  readonly release: string;
  /** The ids of a task's log as they are in its store. */
  logOf(taskId: string): Promise<string[]>;
  /** Lets a task of type `step` go on by one. */
  step(taskId: string): Promise<void>;
  /** Ends questions whose time is over, as a host's own job would. */
  prune(): Promise<void>;
  stop(): Promise<void>;
}

const python = fileURLToPath(new URL('../../.data/original/bin/python', import.meta.url));
const program = fileURLToPath(new URL('host.py', import.meta.url));

/** Starts it. Idle streams of it are told so every `heartbeatMs`. Rejects with a sentence where Python, its packages or Redis are missing. */
export async function startOriginal(heartbeatMs: number): Promise<OriginalHost> {
  if (!existsSync(python))
    throw new Error(`The original's server is not installed (no ${python}): these tests need it. Run \`npm run setup\`; it wants python3.`);
  const redis = await startRedis();
  const start = () =>
    spawn(python, [program, String(redis.port), String(heartbeatMs)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' },
    });
  // A kill of this process ends it by its closed input.
  const host = await startProcess("The original's server", start, (child) => printed(child, /^listening (\d+) (.*)\n/)).catch(
    async (error: Error) => {
      await redis.stop();
      throw error;
    },
  );
  const [, port, release = ''] = host.said;
  const baseUrl = `http://127.0.0.1:${port}`;
  const store = new Redis({ port: redis.port, host: '127.0.0.1', lazyConnect: true });
  const stop = async () => {
    store.disconnect();
    await host.kill();
    await redis.stop();
  };
  const steer = async (path: string) => {
    const { status } = await fetch(`${baseUrl}/steer/${path}`, { method: 'POST' });
    if (status !== 200) throw new Error(`The host could not ${path}: ${status}.`);
  };
  return {
    port: Number(port),
    baseUrl,
    redisPort: redis.port,
    release,
    logOf: async (taskId) => (await store.xrange(`taskbridge:tasks:${taskId}:events`, '-', '+')).map(([id]) => id),
    step: (taskId) => steer(`${taskId}/step`),
    prune: () => steer('prune'),
    stop,
  };
}
