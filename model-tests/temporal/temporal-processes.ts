import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { forkProgram, heard, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { temporalServer, type TemporalServer } from './dev-server.ts';
import { workflowBundle } from './temporal-harness.ts';

/** A host, a worker, Temporal and Redis, each a process of its own that a test kills. */
export interface TemporalProcesses {
  readonly baseUrl: string;
  readonly temporal: TemporalServer;
  readonly host: RunningProcess;
  readonly worker: RunningProcess;
  close(): Promise<void>;
}

/** Starts them; `onMessage` hears what the worker says beside that it is ready. */
export async function startTemporalProcesses(onMessage?: (message: unknown) => void): Promise<TemporalProcesses> {
  const folder = await tempFolder('temporal');
  const codePath = join(folder.path, 'workflows.js');
  const taskQueue = 'processes';
  const port = await freePort();
  const [redis, temporal] = await Promise.all<[Promise<RedisServer>, Promise<TemporalServer>, Promise<void>]>([
    startRedis('--appendonly', 'yes', '--appendfsync', 'always'),
    temporalServer({ dbFilename: join(folder.path, 'temporal.db') }),
    workflowBundle().then(({ code }) => writeFile(codePath, code)),
  ]);
  const [host, worker] = await Promise.all([
    startChild('host.ts', [String(port), String(redis.port), temporal.address, taskQueue]),
    startChild('worker.ts', [codePath, String(redis.port), temporal.address, taskQueue], onMessage),
  ]);
  return {
    ...{ temporal, host, worker },
    baseUrl: `http://127.0.0.1:${port}`,
    async close() {
      await Promise.all([host.kill(), worker.kill(), temporal.close(), redis.stop()]);
      await folder.remove();
    },
  };
}

/** Starts one of `children/`. */
function startChild(file: string, args: readonly string[], onMessage?: (message: unknown) => void): Promise<RunningProcess> {
  const start = () =>
    forkProgram(new URL(`children/${file}`, import.meta.url), args).on('message', (message) => {
      if (message !== 'ready') onMessage?.(message);
    });
  return startProcess(file, start, (child) => heard(child, (message) => message === 'ready'));
}
