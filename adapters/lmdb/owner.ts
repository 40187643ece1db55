import type { Rows } from './head.ts';
import { ownerKey } from './keys.ts';
import { isRunning, thisProcess, type ProcessMark } from './process.ts';

/** The right to write, held by at most one open store. */
export interface Ownership {
  /** Throws where another process took the store over. To be called inside a transaction. */
  check(): void;
  /** Gives it back. */
  release(): void;
}

/**
 * Takes the store for this process, in one transaction.
 *
 * @throws an `Error` that names the owner's process id and start time, where the owner runs still; this process is an owner like any other.
 */
export function takeOwnership(db: Rows, path: string, now: number): Ownership {
  const mark = JSON.stringify(thisProcess(now));

  db.transactionSync(() => {
    const owner = readOwner(db);
    if (owner && isRunning(owner)) {
      throw new Error(
        `The LMDB store at ${path} is in use by process ${owner.pid}, started ${owner.startedAt}${owner.pid === process.pid ? ' (this one)' : ''}. ` +
          'One process may have it open, once. Close it there, or give this one a path of its own.',
      );
    }
    db.putSync(ownerKey, Buffer.from(mark));
  });

  return {
    check() {
      const owner = db.get(ownerKey)?.toString();
      if (owner !== mark)
        throw new Error(
          `The LMDB store at ${path} was taken over by ${owner ?? 'a process that has closed it again'}. Nothing was written.`,
        );
    },
    release() {
      db.transactionSync(() => {
        if (db.get(ownerKey)?.toString() === mark) db.removeSync(ownerKey);
      });
    },
  };
}

function readOwner(db: Rows): ProcessMark | undefined {
  const row = db.get(ownerKey);
  // Written by `takeOwnership` only.
  return row && (JSON.parse(row.toString()) as ProcessMark);
}
