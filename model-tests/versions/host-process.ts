import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Version } from './release.ts';

/** Something that a host logged. */
export interface LogLine {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly taskId?: string;
  /** How long it said that it rests. */
  readonly pauseMs?: number;
  /** By that process's monotonic clock. */
  readonly atMs: number;
}

/** Work that a host told to stop. */
export interface StoppedWork {
  readonly stopped: string;
  readonly attempt: number;
}

/** Where a host's tasks live. */
export type Place = { readonly redis: number } | { readonly lmdb: string };

/** One host of some version, in a process of its own. */
export interface HostProcess {
  readonly port: number;
  readonly url: string;
  readonly lines: readonly LogLine[];
  readonly stopped: readonly StoppedWork[];
  /** False from the moment that the process has ended, however it did. */
  readonly isAlive: boolean;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Tells it to end as a host does that is updated. */
  close(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Starts a host; resolves when it listens. */
export async function startHost({ name, host }: Version, place: Place): Promise<HostProcess> {
  const lines: LogLine[] = [];
  const stopped: StoppedWork[] = [];
  const args = 'redis' in place ? ['redis', String(place.redis)] : ['lmdb', place.lmdb];
  const child: ChildProcess = fork(host, args, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: { readonly port: number } | LogLine | StoppedWork) => {
      if ('port' in message) resolve(message.port);
      else if ('level' in message) lines.push(message);
      else stopped.push(message);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`A host of ${name} ended before it listened (${signal ?? code}).`)));
  });
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = async (how: () => void): Promise<void> => {
    if (isAlive()) {
      const gone = once(child, 'exit');
      how();
      await gone;
    }
    process.removeListener('exit', killAtExit);
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    lines,
    stopped,
    get isAlive() {
      return isAlive();
    },
    kill: () => end(() => child.kill('SIGKILL')),
    close: () => end(() => child.send('close')),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
