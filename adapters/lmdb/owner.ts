import type { Clock, Logger } from '../../server/ports/index.ts';
import { examineDataFile } from './data-file.ts';
import type { Rows } from './head.ts';
import { ageOfHeartbeat, readHeartbeat, startHeart } from './heartbeat.ts';
import { ownerKey } from './keys.ts';
import { describeOwner, endOfOwner, inUse, type Ended } from './owner-end.ts';
import { sightOf, thisProcess, type ProcessMark } from './process.ts';

/** The right to write, held by at most one open store. */
export interface Ownership {
  /** Throws where another process took the store over. To be called inside a transaction. */
  check(): void;
  /** Gives it back. */
  release(): Promise<void>;
}

/** A database that this process owns. */
export interface Owned {
  readonly rows: Rows;
  readonly ownership: Ownership;
}

/** How often somebody may come in between. */
const TRIES = 3;

/**
 * Opens the database in a folder and takes it for this process, in one transaction. The database is touched only once it is clear that its
 * last owner has ended, which is told from outside: {@link endOfOwner}.
 *
 * @param openRows opens the database. Nothing may be read from it before it is owned, but within a transaction that writes: LMDB's table of
 * readers goes by process ids, and breaks where two containers have the same one in it.
 * @throws an `Error` that names the owner, where it runs still, or may; this process is an owner like any other.
 */
export async function openOwned(path: string, openRows: () => Rows, clock: Clock, logger: Logger): Promise<Owned> {
  const mark = thisProcess(clock.now());
  let owner = (await readHeartbeat(path))?.owner;
  for (let tries = TRIES; ; tries -= 1) {
    const ended = owner && (await endOfOwner(path, owner, clock, logger));
    examineDataFile(path);
    const rows = openRows();
    try {
      const { isTaken, before } = claim(rows, path, mark, ended);
      if (isTaken) return await begin({ rows, path, mark, before, watchedMs: ended?.watchedMs ?? 0, clock, logger });
      if (tries === 1) throw inUse(path, before, ' It came in between.');
      owner = before;
    } catch (error) {
      await rows.close();
      throw error;
    }
    await rows.close();
  }
}

/** Whose the store was before; where nothing was taken, somebody who may still run, and of whom nobody has looked. */
type Claim =
  { readonly isTaken: true; readonly before: ProcessMark | undefined } | { readonly isTaken: false; readonly before: ProcessMark };

function claim(rows: Rows, path: string, mark: ProcessMark, ended: Ended | undefined): Claim {
  return rows.transactionSync(() => {
    const row = rows.get(ownerKey)?.toString();
    // Written here only.
    const before = row === undefined ? undefined : (JSON.parse(row) as ProcessMark);
    if (before && row !== ended?.mark) {
      const sight = sightOf(before);
      if (sight === 'running') throw inUse(path, before);
      if (sight === 'unseen') return { isTaken: false, before };
    }
    refuseHidden(rows, path, ended);
    rows.putSync(ownerKey, Buffer.from(JSON.stringify(mark)));
    return { isTaken: true, before };
  });
}

/** A heart that stands still may be that of a process which was frozen: LMDB's own locks tell, between processes of one kernel. */
function refuseHidden(rows: Rows, path: string, ended: Ended | undefined): void {
  // Declared as `{}` by lmdb. Counted from zero by whoever has the database alone.
  const { numReaders } = rows.getStats() as { readonly numReaders: number };
  if (ended && !ended.isCertain && numReaders > 0)
    throw new Error(
      `The LMDB store at ${path} is opened by a process that does not show here, and its owner, ${describeOwner(ended.owner)}, does not ` +
        'move: it may be frozen. Nothing was taken over. End it, or thaw it; where a command reads the store, wait for its end.',
    );
  const isOwnIdTaken = rows
    .readerList()
    .split('\n')
    .some((line) => Number.parseInt(line.replace(/^\W+/, ''), 10) === process.pid);
  if (isOwnIdTaken)
    throw new Error(
      `The LMDB store at ${path} is read by a process of another container that has the id ${process.pid} there, as this one has here. ` +
        'LMDB cannot tell the two apart. Wait for its end, or start this one under another id.',
    );
}

/** What a store begins with. */
interface Beginning {
  readonly rows: Rows;
  readonly path: string;
  readonly mark: ProcessMark;
  readonly before: ProcessMark | undefined;
  readonly watchedMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

async function begin({ rows, path, mark, before, watchedMs, clock, logger }: Beginning): Promise<Owned> {
  const text = JSON.stringify(mark);
  const readOwner = (): string | undefined => rows.get(ownerKey)?.toString();
  // The first read: from here on LMDB's table of readers says that this process is there.
  readOwner();
  if (before)
    logger.warn(`The LMDB store at ${path} was taken over from ${describeOwner(before)}: it ended without closing it.`, {
      lastSeenMsAgo: await ageOfHeartbeat(path, clock),
      watchedMs,
    });
  let isLost = false;
  const heart = await startHeart(path, mark, clock, () => {
    const isOwner = readOwner() === text;
    if (!isOwner && !isLost) logger.error(`The LMDB store at ${path} was taken over by another process: nothing is written any more.`);
    isLost = !isOwner;
    return isOwner;
  });

  return {
    rows,
    ownership: {
      check() {
        const owner = readOwner();
        if (owner !== text)
          throw new Error(
            `The LMDB store at ${path} was taken over by ${owner ?? 'a process that has closed it again'}. Nothing was written.`,
          );
      },
      async release() {
        rows.transactionSync(() => {
          if (readOwner() === text) rows.removeSync(ownerKey);
        });
        await heart.stop();
      },
    },
  };
}
