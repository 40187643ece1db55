import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { patience } from '../support/patience.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Whoever is late by less keeps his work; whoever is frozen for longer, or killed, loses it. */
const LEASE_MS = patience(2000);
const host = fileURLToPath(new URL('children/host.ts', import.meta.url));

/** A run that was told to stop on a node. */
export interface StoppedRun {
  readonly stopped: string;
  readonly attempt: number;
}

/** One node of a host in a process of its own. */
export interface NodeProcess {
  /** Where it listens; changes when it is started again. */
  readonly port: number;
  readonly url: string;
  /** Runs that were told to stop, since the node was made. */
  readonly stopped: readonly StoppedRun[];
  kill(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Starts a node on a Redis server; `program` is what it runs, as source or built. */
export async function startNode(redisPort: number, { leaseMs = LEASE_MS, program = host } = {}): Promise<NodeProcess> {
  const stopped: StoppedRun[] = [];
  let child: ChildProcess;
  let port = 0;
  const start = async () => {
    const started = fork(program, [String(redisPort), String(leaseMs)], {
      cwd: root,
      execArgv: program.endsWith('.ts') ? ['--import', 'tsx'] : [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child = started;
    port = await new Promise((resolve, reject) => {
      started.on('message', (message: { readonly port: number } | StoppedRun) => {
        if ('port' in message) resolve(message.port);
        else stopped.push(message);
      });
      started.once('error', reject);
      started.once('exit', (code, signal) => reject(new Error(`A node ended before it listened (${signal ?? code}).`)));
    });
  };
  await start();
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    get port() {
      return port;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    stopped,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    restart: start,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
