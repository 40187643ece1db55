import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import type { CleanupStack } from './cleanup-stack.ts';

const READY_MS = 30_000;

/** The address of the server at `TEMPORAL_ADDRESS`, else of a dev server of our own; undefined where there is no program to start one. */
export async function startTemporal(cleanup: CleanupStack): Promise<string | undefined> {
  const given = process.env['TEMPORAL_ADDRESS'];
  if (given !== undefined) return given;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '.data/bin', join(homedir(), 'go', 'bin')];
  const program = folders.map((folder) => join(folder, 'temporal')).find((path) => existsSync(path));
  if (program === undefined) return undefined;
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'never'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  process.once('exit', () => child.kill('SIGKILL'));
  cleanup.add(async () => {
    if (child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  await ready(address);
  return address;
}

async function ready(address: string): Promise<void> {
  const until = performance.now() + READY_MS;
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
      if (performance.now() > until) throw new Error(`No Temporal server answers at ${address}.`, { cause: error });
      await rest(100);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
