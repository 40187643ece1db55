import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

/** A Redis server of the test's own, on a port and in a folder of its own. */
export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  /** `kill -9`: resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on what is on the disk. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it and clears away what it kept. */
  stop(): Promise<void>;
}

/** Starts a server; resolves when it takes connections, rejects with a sentence where there is none to start. */
export async function startRedis(...args: string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'taskbridge-redis-'));
  const port = await freePort();
  const own = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--daemonize',
    'no',
    '--enable-debug-command',
    'yes',
  ];
  let child: ChildProcess;
  const start = async () => {
    child = await ready([...own, ...args]);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  await start();
  // Not to be left behind, however the tests end.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    restart: start,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function ready(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) =>
      reject(
        new Error(`redis-server cannot be started (${error.message}): these tests need it. Run \`npm run setup\`, or install Redis 7.`),
      ),
    );
    child.once('exit', (code, signal) => reject(new Error(`redis-server ended before it was ready (${signal ?? code}).`)));
  });
  failed.catch(() => undefined);
  const said: string[] = [];
  const saysReady = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (line.includes('Ready to accept connections')) return;
    }
    throw new Error(`redis-server said:\n${said.join('\n')}`);
  })();
  await Promise.race([saysReady, failed.catch((error: Error) => Promise.reject(new Error(`${error.message}\n${said.join('\n')}`)))]);
  // What it says from here on is not read; it must not wait for us.
  child.stdout.resume();
  return child;
}
