import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import { systemClock, type Logger } from '../../server/ports/index.ts';
import { DATA_FILE, examineFile } from './data-file.ts';
import { privateFiles } from './folder.ts';
import type { Rows } from './head.ts';
import { readHeartbeat } from './heartbeat.ts';
import { describeOwner, endOfOwner } from './owner-end.ts';
import { isOnThisKernel, sightOf } from './process.ts';

/** What a path leads to: a store in a folder, or the one file of a backup. */
export interface Place {
  readonly folder: string;
  readonly file: string;
  readonly isBackup: boolean;
}

/** Throws an `Error` where there is neither. */
export async function placeOf(path: string): Promise<Place> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const file = isFolder ? join(path, DATA_FILE) : path;
  if (!(await stat(file).catch(() => undefined))?.isFile())
    throw new Error(`${path} is no LMDB store and no backup of one: there is no ${file}.`);
  return { folder: dirname(file), file, isBackup: !isFolder };
}

const quiet: Logger = { warn: () => undefined, error: () => undefined };

/**
 * Opens a store to be read beside the process that owns it, after a look at its file.
 *
 * @throws an `Error` where that cannot be: LMDB's locks hold within one machine, and tell its readers apart by their process ids.
 */
export async function openToRead(path: string): Promise<Rows> {
  const { folder, file, isBackup } = await placeOf(path);
  const owner = isBackup ? undefined : (await readHeartbeat(folder))?.owner;
  if (owner && sightOf(owner) === 'unseen') {
    if (!isOnThisKernel(owner)) await endOfOwner(folder, owner, systemClock, quiet);
    else if (owner.pid === process.pid)
      throw new Error(
        `The LMDB store at ${folder} cannot be read from here: ${describeOwner(owner)} has it open, and LMDB cannot tell it from this process, ` +
          `which has the id ${process.pid} too. Run this in the container of its owner.`,
      );
  }
  examineFile(file, path);
  return open({
    path: isBackup ? file : folder,
    noSubdir: isBackup,
    encoding: 'binary',
    readOnly: true,
    eventTurnBatching: false,
    ...privateFiles,
  });
}
