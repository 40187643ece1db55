import { fileURLToPath } from 'node:url';
import { forkProgram, heard, startProcess } from '../support/child-process.ts';
import { patience } from '../support/patience.ts';

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
  /** Tells it to close, and waits until it has. */
  close(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Starts a node on a Redis server; `program` is what it runs, as source or built. */
export async function startNode(
  redisPort: number,
  { leaseMs = LEASE_MS, program = host, hear = (_message: object): void => undefined } = {},
): Promise<NodeProcess> {
  const stopped: StoppedRun[] = [];
  const start = () =>
    forkProgram(program, [redisPort, leaseMs]).on('message', (message: object) => {
      if ('stopped' in message) stopped.push(message as StoppedRun);
      else hear(message);
    });
  const node = await startProcess('A node', start, (child) => heard<{ readonly port: number }>(child, (message) => 'port' in message));
  return {
    get port() {
      return node.said.port;
    },
    get url() {
      return `http://127.0.0.1:${node.said.port}`;
    },
    stopped,
    kill: () => node.kill(),
    close: () => node.kill('SIGTERM'),
    restart: node.restart,
    freeze: node.freeze,
    thaw: node.thaw,
  };
}
