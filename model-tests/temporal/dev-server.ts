import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { WAIT_MS } from '../support/patience.ts';
import { Connection } from '@temporalio/client';
import { startProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';

/** So often a server is started that ends before it is ready. */
const STARTS_MAX = 3;

/** A Temporal server for tests. */
export interface TemporalServer {
  readonly address: string;
  /** Ends it without a word, where it is ours. */
  kill(): Promise<void>;
  /** Starts it again on the same port and database. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The server at `TEMPORAL_ADDRESS`, else a dev server of our own: `temporal` on the PATH or where Go installs it. Throws where there is
 * neither: a suite without a server fails.
 */
export async function temporalServer(options: { readonly dbFilename?: string } = {}): Promise<TemporalServer> {
  const given = process.env.TEMPORAL_ADDRESS;
  if (given !== undefined && options.dbFilename === undefined) {
    await reachable(given);
    return { address: given, kill: foreign, restart: foreign, close: () => Promise.resolve() };
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await devServer(options.dbFilename);
    } catch (error) {
      // It takes further ports of its own choice, which another process may have taken in between.
      if (tries === STARTS_MAX) throw error;
    }
  }
}

async function devServer(dbFilename: string | undefined): Promise<TemporalServer> {
  const program = temporalProgram();
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const database = dbFilename === undefined ? [] : ['--db-filename', dbFilename];
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'never', ...database];
  const start = () => spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const server = await startProcess('The Temporal dev server', start, () => reachable(address));
  return { address, kill: () => server.kill(), restart: server.restart, close: () => server.kill() };
}

/** True where there is a server, or a program to start one. */
export function isTemporalHere(): boolean {
  return process.env.TEMPORAL_ADDRESS !== undefined || findProgram() !== undefined;
}

/** The `temporal` program, or an error that says how to get it. */
function temporalProgram(): string {
  const found = findProgram();
  if (found !== undefined) return found;
  throw new Error(
    'NO TEMPORAL SERVER: these tests need a real one. Set TEMPORAL_ADDRESS, or put the program `temporal` on the PATH, for instance by ' +
      '`go install github.com/temporalio/cli/cmd/temporal@v1.5.1` (some minutes). Nothing was tested.',
  );
}

function findProgram(): string | undefined {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  const gopath = process.env.GOPATH ?? spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim();
  // From the root, where all is run: the bench's copy of this file stands elsewhere.
  const built = join(process.cwd(), '.data', 'bin');
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    built,
    ...(gopath ? [join(gopath, 'bin')] : []),
    join(homedir(), 'go', 'bin'),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Waits until the server answers for its default namespace. */
async function reachable(address: string): Promise<void> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      try {
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (performance.now() > until) throw new Error(`NO TEMPORAL SERVER answers at ${address}. Nothing was tested.`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function foreign(): Promise<void> {
  return Promise.reject(new Error('The server at TEMPORAL_ADDRESS is not ours to kill.'));
}
