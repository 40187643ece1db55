import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A process that a test kills, freezes and starts again. It does not outlive this one, however the tests end. */
export interface RunningProcess<Said = unknown> {
  /** Another one after each start. */
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it said when it was ready, the last time that it was started. */
  readonly said: Said;
  /** Resolves when the process is gone; at once where it is. By default `kill -9`. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again; resolves when it is ready. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/**
 * Starts a process and waits until it is ready, as {@link heard} or {@link printed} tell, or whatever asks it. Rejects where it cannot be
 * started, or ends before.
 */
export async function startProcess<Said>(
  name: string,
  start: () => ChildProcess,
  ready: (child: ChildProcess) => Promise<Said>,
): Promise<RunningProcess<Said>> {
  const run = async (): Promise<{ child: ChildProcess; said: Said }> => {
    const child = start();
    running.add(child);
    child.once('exit', () => running.delete(child));
    try {
      return { child, said: await Promise.race([ready(child), endOf(name, child)]) };
    } catch (error) {
      await endProcess(child);
      throw error;
    }
  };
  let now = await run();
  return {
    get child() {
      return now.child;
    },
    get pid() {
      return now.child.pid ?? 0;
    },
    get said() {
      return now.said;
    },
    kill: (signal) => endProcess(now.child, signal),
    async restart() {
      now = await run();
    },
    freeze: () => void now.child.kill('SIGSTOP'),
    thaw: () => void now.child.kill('SIGCONT'),
  };
}

/** Runs a program of ours in Node, by tsx where it is source, with a channel for messages. */
export function forkProgram(program: URL | string, args: readonly unknown[] = [], options: ForkOptions = {}): ChildProcess {
  const file = typeof program === 'string' ? program : fileURLToPath(program);
  const own = file.endsWith('.ts') ? ['--import', 'tsx'] : [];
  return fork(file, args.map(String), {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
    execArgv: [...own, ...(options.execArgv ?? [])],
  });
}

/** The next message that it sends, of those that are wanted. */
export function heard<Message>(child: ChildProcess, isWanted: (message: Message) => boolean = () => true): Promise<Message> {
  return new Promise((resolve) => {
    // What the programs of the tests send is theirs to type.
    const listen = (message: unknown): void => {
      if (!isWanted(message as Message)) return;
      child.off('message', listen);
      resolve(message as Message);
    };
    child.on('message', listen);
  });
}

/** Waits until its output, as far as that is piped, matches; reads on afterwards, so that it need not wait for us. */
export function printed(child: ChildProcess, what: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
    let text = '';
    const look = (chunk: Buffer): void => {
      text += String(chunk);
      const match = what.exec(text);
      if (!match) return;
      for (const stream of streams) stream.off('data', look).resume();
      resolve(match);
    };
    for (const stream of streams) stream.on('data', look);
    child.once('close', () => reject(new Error(`It ended without saying ${what}:\n${text}`)));
  });
}

/** Ends a process; resolves when it is gone, at once where it is. By default `kill -9`. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Rejects when it cannot be started, or has ended and said its last words. */
function endOf(name: string, child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => reject(new Error(`${name} ended before it was ready (${signal ?? code}).`)));
  });
}
