import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const host = fileURLToPath(new URL('host.ts', import.meta.url));

/** The host of an example in a process of its own, which can be killed and started again. */
export interface HostProcess {
  /** Where it listens; changes when it is started again. */
  readonly port: number;
  readonly pid: number;
  /** `kill -9`: resolves when the process is gone, with everything that it had not written. */
  kill(): Promise<void>;
  /** Starts it again after a kill. */
  restart(): Promise<void>;
  /** Ends it for good, in its own way. */
  stop(): Promise<void>;
}

/** Starts the host, with a login service where there is one; rejects where it ends before it listens. What it logs goes to `log`, else to standard error. */
export function startHost(
  directory: string,
  { authenticate, log }: { readonly authenticate?: string; readonly log?: (line: string) => void } = {},
): Promise<HostProcess> {
  const args = ['--data', directory, ...(authenticate === undefined ? [] : ['--token-service', authenticate])];
  return startHostProgram(host, args, log);
}

/** Starts a program that sends `{ port }` when it listens; the rest as {@link startHost}. */
export async function startHostProgram(program: string, args: readonly string[], log?: (line: string) => void): Promise<HostProcess> {
  let child: ChildProcess;
  let port = 0;
  const start = async () => {
    child = fork(program, args, {
      cwd: root,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', log ? 'pipe' : 'inherit', 'ipc'],
      serialization: 'json',
    });
    if (log && child.stderr) createInterface({ input: child.stderr }).on('line', log);
    port = await listening(child);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  await start();
  // Not to be left behind, however this process ends; a kill -9 of this process ends the host by its closed channel.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    get port() {
      return port;
    },
    get pid() {
      return child.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    restart: start,
    stop: () => end('SIGTERM'),
  };
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve((message as { readonly port: number }).port));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`The host ended before it listened (${signal ?? code}); its last words are above.`)),
    );
  });
}
