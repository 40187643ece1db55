import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { ownBuild, type RedisBuild } from './redis-builds.ts';

/** A Sentinel that watches a master. */
export interface RedisSentinel {
  readonly port: number;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Starts Sentinels that agree by majority, each of which takes the master for down when it was silent for `downAfterMs`. */
export async function startSentinels(
  count: number,
  master: { readonly name: string; readonly port: number },
  downAfterMs: number,
  build: RedisBuild = ownBuild,
): Promise<RedisSentinel[]> {
  return Promise.all(Array.from({ length: count }, () => startSentinel(build, master, Math.floor(count / 2) + 1, downAfterMs)));
}

async function startSentinel(
  build: RedisBuild,
  master: { readonly name: string; readonly port: number },
  quorum: number,
  downAfterMs: number,
): Promise<RedisSentinel> {
  const folder = await tempFolder('sentinel');
  const port = await freePort();
  const config = join(folder.path, 'sentinel.conf');
  await writeFile(
    config,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder.path}`,
      `sentinel monitor ${master.name} 127.0.0.1 ${master.port} ${quorum}`,
      `sentinel down-after-milliseconds ${master.name} ${downAfterMs}`,
      `sentinel failover-timeout ${master.name} 5000`,
      '',
    ].join('\n'),
  );
  const start = () => spawn(build.program, [config, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sentinel: RunningProcess<unknown> = await startProcess('a Sentinel', start, (child) => printed(child, /monitor master/));
  return {
    port,
    freeze: sentinel.freeze,
    thaw: sentinel.thaw,
    async stop() {
      await sentinel.kill();
      await folder.remove();
    },
  };
}
