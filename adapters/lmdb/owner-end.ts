import type { Clock, Logger } from '../../server/ports/index.ts';
import { BEAT_MS, readHeartbeat } from './heartbeat.ts';
import { isOnThisKernel, sightOf, type ProcessMark } from './process.ts';

/** An owner that is no more. */
export interface Ended {
  readonly owner: ProcessMark;
  /** Its row. */
  readonly mark: string;
  /** False where it only has not moved for long enough. */
  readonly isCertain: boolean;
  readonly watchedMs: number;
}

/** How often a heart is looked at, in milliseconds. */
const LOOK_MS = BEAT_MS / 2;
/** On one kernel LMDB's locks tell more; this outlasts a start that has not yet read from the database. */
const LOOKS_HERE = 6;
/** Between machines nothing else tells: as long as an event loop may be blocked. */
const LOOKS_ELSEWHERE = 40;

/**
 * Finds out whether an owner has ended. One that runs in another container or on another machine shows in no table of this one: its heartbeat
 * is watched, for 3 seconds on one kernel and 20 else, by looks of this process, so that a pause of both says nothing.
 *
 * @throws an `Error` that names the owner, where it runs.
 */
export async function endOfOwner(path: string, owner: ProcessMark, clock: Clock, logger: Logger): Promise<Ended> {
  const sight = sightOf(owner);
  const mark = JSON.stringify(owner);
  if (sight === 'running') throw inUse(path, owner);
  if (sight === 'ended') return { owner, mark, isCertain: true, watchedMs: 0 };

  const looks = isOnThisKernel(owner) ? LOOKS_HERE : LOOKS_ELSEWHERE;
  logger.warn(
    `The LMDB store at ${path} was opened by ${describeOwner(owner)}, and not closed: whether that has ended does not show here. It is taken ` +
      `over when its heartbeat stands still for ${(looks * LOOK_MS) / 1000} seconds.`,
  );
  const before = await readHeartbeat(path);
  for (let look = 0; look < looks; look += 1) {
    await pause(clock, LOOK_MS);
    const now = await readHeartbeat(path);
    if (now !== undefined && JSON.stringify(now) !== JSON.stringify(before)) throw inUse(path, now.owner, ' Its heart beats.');
    // It was closed while we looked.
    if (now === undefined && before !== undefined) return { owner, mark, isCertain: true, watchedMs: (look + 1) * LOOK_MS };
  }
  return { owner, mark, isCertain: false, watchedMs: looks * LOOK_MS };
}

/** The error for a store that somebody else has. */
export function inUse(path: string, owner: ProcessMark, more = ''): Error {
  return new Error(
    `The LMDB store at ${path} is in use by ${describeOwner(owner)}.${more} ` +
      'One process may have it open, once. Close it there, or give this one a path of its own.',
  );
}

/** Who it is, for people. */
export function describeOwner(owner: ProcessMark): string {
  const { pid, startedAt, namespace } = owner;
  const where = isOnThisKernel(owner)
    ? `in another container (PID namespace ${namespace})`
    : 'on another machine, or on this one before it was booted';
  if (sightOf(owner) === 'unseen') return `process ${pid} ${where}, started ${startedAt}`;
  return `process ${pid}, started ${startedAt}${owner.pid === process.pid ? ' (this one)' : ''}`;
}

/** Waits. A clock's timers let a process end that waits for nothing else, and this one has only begun. */
async function pause(clock: Clock, ms: number): Promise<void> {
  const { port1 } = new MessageChannel();
  port1.onmessage = () => undefined;
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
  port1.close();
}
