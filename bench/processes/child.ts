import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { RpcClient } from '../rpc/client.ts';
import type { Methods } from '../rpc/methods.ts';
import type { CleanupStack } from './cleanup-stack.ts';

const END_MS = 3000;

/** A process that takes orders. */
export interface Child<T extends Methods<T>, About> {
  readonly pid: number;
  /** What it said of itself. */
  readonly about: About & { readonly control: number };
  readonly orders: RpcClient<T>;
  end(): Promise<void>;
}

/** Starts a process and waits for the line in which it says where it takes orders. It ends with us, whatever happens. */
export async function startChild<T extends Methods<T>, About = unknown>(
  cleanup: CleanupStack,
  command: string,
  args: readonly string[],
): Promise<Child<T, About>> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended(child, args)])) as [string];
  child.stdout.resume();
  // Its own words, see `serveControl`.
  const about = JSON.parse(line) as About & { control: number };
  const orders = await RpcClient.connect<T>(about.control);
  const end = cleanup.add(async () => {
    orders.close();
    await stopped(child);
  });
  return { pid: child.pid ?? 0, about, orders, end };
}

async function ended(child: ChildProcess, args: readonly string[]): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`${args.join(' ')} ended with ${code} before it was ready.`);
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  // It ends by itself with its input, and writes its profile then where one is taken.
  child.stdin?.end();
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(late);
}
