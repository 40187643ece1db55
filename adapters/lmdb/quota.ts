import type { Commit, Fields, LaneFlush, NewTask } from '../../server/ports/index.ts';
import type { Rows } from './head.ts';
import type { Write } from './writer.ts';

/** What a row costs beside its value, roughly. */
const ROW_BYTES = 128;

/** Rows of a task beside its fields: head, request key, where it waits, its state, its name twice. */
const ROWS_OF_TASK = 6;

/** A lane's row, which says as much as two that say little. */
const ROWS_OF_LANE = 2;

/** How much may still be written. */
export interface Quota {
  /** Looks how much is stored. To be called before a group of writes. */
  measure(): void;
  /** Throws where that many bytes more would be too many; otherwise they count as written. */
  take(bytes: number): void;
}

/** Limits what is stored. Pages that deleted rows left behind are used again and do not count. */
export function createQuota(rows: Rows, path: string, bytesMax: number): Quota {
  let used = 0;

  return {
    measure() {
      // Declared as `{}` by lmdb.
      const stats = rows.getStats() as { pageSize: number; treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
      used = stats.pageSize * (stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages);
    },
    take(bytes) {
      if (used + bytes > bytesMax) {
        throw noRoom(
          `The LMDB store at ${path} is full: ${used} bytes of mapBytesMax (${bytesMax}) are used, ${bytes} more were to be written. ` +
            'Raise mapBytesMax, or keep tasks and facts for a shorter time.',
        );
      }
      used += bytes;
    },
  };
}

/** The error of a store that has no room: its `code` is the system's own for a full disk, `ENOSPC`, whichever limit it is. */
export function noRoom(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code: 'ENOSPC' });
}

/** Refuses a write for which there is no quota, once it is clear that it would write. */
export function withinQuota<T>(quota: Quota, bytes: number, write: Write<T>): Write<T> {
  return () => {
    const decision = write();
    if (decision.change) quota.take(bytes);
    return decision;
  };
}

/** What a new task adds, roughly. */
export function bytesOfTask({ fields, sideValues }: NewTask): number {
  return bytesOfFields(fields) + bytesOfFields(sideValues) + ROWS_OF_TASK * ROW_BYTES;
}

/** What a commit adds at most, roughly: nothing is counted off for what it replaces or drops. */
export function bytesOfCommit({ facts, fields, sideValues, lanes }: Commit): number {
  let sum = bytesOfFields(fields) + bytesOfFields(sideValues) + (lanes?.open?.length ?? 0) * ROWS_OF_LANE * ROW_BYTES;
  for (const { bytes } of facts) sum += bytes.byteLength + ROW_BYTES;
  return sum;
}

/** What a flush adds at most, roughly. */
export function bytesOfFlush({ bytes }: LaneFlush): number {
  return bytes.byteLength + ROW_BYTES;
}

function bytesOfFields(fields: Fields): number {
  let sum = 0;
  for (const name of Object.keys(fields)) sum += Buffer.byteLength(fields[name] ?? '') + ROW_BYTES;
  return sum;
}
