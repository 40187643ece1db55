import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The version of a {@link ProcessMark}; 0.1.0 wrote marks without one, and without `namespace` and `machine`. */
export const OWNER_VERSION = 1;

/** Names one run of a program: a process id alone is given out again, and means another process in each container. */
export interface ProcessMark {
  readonly v?: number;
  readonly pid: number;
  /** RFC 3339, UTC; for people. */
  readonly startedAt: string;
  /** When the system says that it started, in the system's own words, where it says so. */
  readonly start?: string;
  /** Changes when the machine boots, where the system has such a thing. */
  readonly boot?: string;
  /** Where its id means something: Linux's PID namespace, of which each container has its own. */
  readonly namespace?: string;
  /** The machine, by its id and name, where it has an id. Copies of an image may share it: inside of containers it says nothing. */
  readonly machine?: string;
}

/** What can be told of a process from here: `unseen` is one of another container or machine, which no table of ours shows. */
export type Sight = 'running' | 'ended' | 'unseen';

/** Linux's first PID namespace: that of the machine itself, outside of all containers. */
const MACHINE_NAMESPACE = 'pid:[4026531836]';

/** This process; `now` in milliseconds since the epoch. */
export function thisProcess(now: number): ProcessMark {
  const mark = {
    v: OWNER_VERSION,
    pid: process.pid,
    startedAt: new Date(now - process.uptime() * 1000).toISOString(),
    start: startOf(process.pid),
    ...here(),
  };
  return withoutGaps(mark);
}

/** Looks for a process: ended only where that is certain, unseen where its id means nothing here. */
export function sightOf(mark: ProcessMark): Sight {
  // A mark of 0.1.0 says too little to tell containers apart.
  if (mark.v !== undefined && !isVisible(mark)) return isEarlierBoot(mark) ? 'ended' : 'unseen';
  return isRunning(mark) ? 'running' : 'ended';
}

/** True where both run on one kernel, whose locks then hold between them. */
export function isOnThisKernel({ boot }: ProcessMark): boolean {
  return boot !== undefined && boot === readBoot();
}

/** True unless that process has certainly ended: it is gone, the machine was booted since, or its id belongs to a later process. */
function isRunning({ pid, start, boot }: ProcessMark): boolean {
  const bootNow = readBoot();
  if (boot !== undefined && bootNow !== undefined && boot !== bootNow) return false;
  if (!exists(pid)) return false;
  const startNow = startOf(pid);
  return start === undefined || startNow === undefined || start === startNow;
}

function isVisible({ boot, namespace }: ProcessMark): boolean {
  const { boot: bootHere, namespace: namespaceHere } = here();
  return boot === bootHere && namespace === namespaceHere;
}

/** True for a process of this very machine before it was booted. In a container nobody can say which machine it is. */
function isEarlierBoot({ boot, namespace, machine }: ProcessMark): boolean {
  const now = here();
  const isOutside = namespace === MACHINE_NAMESPACE && now.namespace === MACHINE_NAMESPACE;
  return isOutside && boot !== now.boot && machine !== undefined && machine === now.machine;
}

function here(): Pick<ProcessMark, 'boot' | 'namespace' | 'machine'> {
  const id = readText('/etc/machine-id')?.trim();
  return withoutGaps({ boot: readBoot(), namespace: readNamespace(), machine: id ? `${id} ${hostname()}` : undefined });
}

type WithoutGaps<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

function withoutGaps<T extends object>(values: T): WithoutGaps<T> {
  // What is not there is left out, which is what the types of a mark say.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as WithoutGaps<T>;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, and it is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Undefined where nothing can be told; `ended` for one that is dead and only waits for its parent. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined;
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() || undefined;
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets, and may itself hold spaces and brackets. After it: state, …, start time (22nd).
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? 'ended' : fields?.[19];
}

function readBoot(): string | undefined {
  return readText('/proc/sys/kernel/random/boot_id')?.trim();
}

function readNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
