import { statfs } from 'node:fs/promises';
import { noRoom } from './quota.ts';

/** What the system says, by number, of a disk that is full: no room, over quota, a file over its limit. */
const NO_ROOM: readonly unknown[] = [28, 122, 27];
/** LMDB says "input/output error" of a write that found room for its beginning only: with less than that left, the disk is full. */
const BYTES_LEFT_MIN = 16 * 1024 ** 2;

/**
 * Finds the cause of a commit that failed: an error that says it, with the `code` `ENOSPC` where the disk is full. lmdb gives the cause as a
 * promise, rejected in the same turn: nothing hangs where that does not come.
 */
export async function commitFailure(error: unknown, path: string): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  const cause: unknown = await Promise.race([error.commitError, Promise.resolve('no cause was given')]).catch((reason: unknown) => reason);
  const left = await bytesLeft(path);
  const message = `The LMDB store at ${path} could not write: ${String(cause)}.`;
  if (NO_ROOM.includes((cause as { readonly code?: unknown }).code) || (left !== undefined && left < BYTES_LEFT_MIN))
    return noRoom(
      `${message} The disk is full: ${left ?? 'an unknown number of'} bytes are left. Make room, or keep tasks for a shorter time.`,
      cause,
    );
  return new Error(message, { cause });
}

async function bytesLeft(path: string): Promise<number | undefined> {
  const disk = await statfs(path).catch(() => undefined);
  return disk && disk.bavail * disk.bsize;
}
