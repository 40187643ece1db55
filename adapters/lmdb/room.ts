import type { Rows } from './head.ts';

/** How much may still be written. */
export interface Room {
  /** Looks how much is stored. To be called before a group of writes. */
  measure(): void;
  /** Throws where that many bytes more would be too many; otherwise they count as written. */
  take(bytes: number): void;
}

/** Limits what is stored. Pages that deleted rows left behind are used again and do not count. */
export function createRoom(rows: Rows, path: string, bytesMax: number): Room {
  let used = 0;

  return {
    measure() {
      // Declared as `{}` by lmdb.
      const stats = rows.getStats() as { pageSize: number; treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
      used = stats.pageSize * (stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages);
    },
    take(bytes) {
      if (used + bytes > bytesMax) {
        throw new Error(
          `The LMDB store at ${path} is full: ${used} bytes of mapBytesMax (${bytesMax}) are used, ${bytes} more were to be written. ` +
            'Raise mapBytesMax, or keep tasks and facts for a shorter time.',
        );
      }
      used += bytes;
    },
  };
}
