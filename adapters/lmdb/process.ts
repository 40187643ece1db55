import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Names one run of a program: a process id alone is given out again. */
export interface ProcessMark {
  readonly pid: number;
  /** RFC 3339, UTC; for people. */
  readonly startedAt: string;
  /** When the system says that it started, in the system's own words, where it says so. */
  readonly start?: string;
  /** Changes when the machine boots, where the system has such a thing. */
  readonly boot?: string;
}

/** This process; `now` in milliseconds since the epoch. */
export function thisProcess(now: number): ProcessMark {
  const start = startOf(process.pid);
  const boot = readBoot();
  return {
    pid: process.pid,
    startedAt: new Date(now - process.uptime() * 1000).toISOString(),
    ...(start === undefined ? {} : { start }),
    ...(boot === undefined ? {} : { boot }),
  };
}

/** True unless that process has certainly ended: it is gone, the machine was booted since, or its id belongs to a later process. */
export function isRunning({ pid, start, boot }: ProcessMark): boolean {
  const bootNow = readBoot();
  if (boot !== undefined && bootNow !== undefined && boot !== bootNow) return false;
  if (!exists(pid)) return false;
  const startNow = startOf(pid);
  return start === undefined || startNow === undefined || start === startNow;
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

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
