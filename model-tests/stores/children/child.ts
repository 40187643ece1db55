import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/**
 * A program of this folder that runs in a process of its own. It is read line by line, to what it wrote last before its kill, and never started
 * again: `support/child-process.ts` starts what must first be ready.
 */
export interface Child {
  readonly pid: number;
  /** The next line that it prints; rejects where it ends without. */
  nextLine(): Promise<string>;
  /** Kills it without a warning, and gives the lines that nobody asked for. */
  killHard(): Promise<string[]>;
}

/** Reads what a child prints, so that it can go on, until something else is over; gives that, and how many lines came meanwhile. */
export async function readDuring<Result>(
  child: Child,
  what: Promise<Result>,
): Promise<{ readonly result: Result; readonly lines: number }> {
  let isOver = false;
  const over = what.finally(() => (isOver = true));
  let lines = 0;
  for (; !isOver; lines += 1) await child.nextLine();
  return { result: await over, lines };
}

/** Starts `<name>.ts` of this folder. */
export function startChild(name: string, ...args: string[]): Child {
  return watch(name, spawn(process.execPath, ['--import', 'tsx', fileOf(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** Starts it where no file may grow beyond that many blocks of 512 bytes: a full disk, for one process. */
export function startChildOnSmallDisk(fileBlocksMax: number, name: string, ...args: string[]): Child {
  const command = ['-c', `ulimit -f ${fileBlocksMax}; exec "$@"`, 'sh', process.execPath, '--import', 'tsx', fileOf(name), ...args];
  return watch(name, spawn('sh', command, { stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Starts it with a small disk of its own mounted at a folder: it can be full, as the whole disk of a machine. On Linux. */
export function startChildOnDiskOf(kib: number, folder: string, name: string, ...args: string[]): Child {
  const command = ['sh', '-c', `mount -t tmpfs -o size=${kib}k tmpfs "$0" && exec "$@"`, folder];
  return watch(
    name,
    spawn('unshare', [...asRoot, '--mount', ...command, process.execPath, '--import', 'tsx', fileOf(name), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

/** Only root may make a namespace without one of users around it. */
const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];

/** Starts it as the first process of a container of its own: the process 1 of another PID namespace. On Linux. */
export function startChildInContainer(name: string, ...args: string[]): Child {
  const command = [
    ...asRoot,
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child',
    process.execPath,
    '--import',
    'tsx',
    fileOf(name),
    ...args,
  ];
  return watch(name, spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] }));
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
}

function watch(name: string, child: ChildProcessByStdio<null, Readable, null>): Child {
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (child.pid === undefined) throw new Error(`The child ${name} did not start.`);

  return {
    pid: child.pid,
    async nextLine() {
      const line = await lines.next();
      if (line.done) throw new Error(`The child ${name} ended before it printed a line.`);
      return line.value;
    },
    async killHard() {
      child.kill('SIGKILL');
      const rest: string[] = [];
      for (let line = await lines.next(); !line.done; line = await lines.next()) rest.push(line.value);
      await ended;
      return rest;
    },
  };
}
