import { spawn } from 'node:child_process';
import { printed, startProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { needBuild, ownBuild, type RedisBuild } from './redis-builds.ts';

/** A Redis server of the test's own, on a port and in a folder of its own. */
export interface RedisServer {
  readonly port: number;
  /** Where it keeps what it keeps. */
  readonly folder: string;
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
export function startRedis(...args: string[]): Promise<RedisServer> {
  return startRedisOf(ownBuild, ...args);
}

/** Starts a server of another build. */
export async function startRedisOf(build: RedisBuild, ...args: string[]): Promise<RedisServer> {
  needBuild(build);
  const folder = await tempFolder('redis');
  const port = await freePort();
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--save', '', '--daemonize', 'no', ...build.args];
  const start = () => spawn(build.program, [...own, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const server = await startProcess(build.name, start, (child) => printed(child, /Ready to accept connections/)).catch((error: Error) => {
    if (!('code' in error)) throw error;
    throw new Error(`${build.name} cannot be started (${error.message}): these tests need it. Run \`npm run setup\`, or install Redis 7.`);
  });
  return {
    port,
    folder: folder.path,
    get pid() {
      return server.pid;
    },
    kill: () => server.kill(),
    restart: server.restart,
    freeze: server.freeze,
    thaw: server.thaw,
    async stop() {
      await server.kill();
      await folder.remove();
    },
  };
}
