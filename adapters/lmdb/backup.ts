import { access, chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { open as openDatabase } from 'lmdb';
import { DATA_FILE, examineFile } from './data-file.ts';
import { FILE_MODE, flush, FOLDER_MODE, makeFolder, privateFiles } from './folder.ts';
import type { Rows } from './head.ts';
import { ownerKey } from './keys.ts';
import { openToRead } from './reader.ts';

/** How often a copy is begun again: a file that grows between opening and reading it is opened anew. */
const TRIES = 3;

/**
 * Writes a consistent copy of a store into a file: of one moment, whoever writes meanwhile. The copy is read through once before it gets its
 * name, and belongs to nobody.
 *
 * @throws an `Error` where there is a file of that name, or no store; where it is damaged; where its owner is on another machine.
 */
export async function backUpStore(folder: string, file: string): Promise<readonly string[]> {
  await refuseExisting(file);
  const unfinished = `${resolve(file)}.part`;
  await makeFolder(dirname(resolve(file)));
  try {
    await copyInto(folder, unfinished);
    await disown(unfinished);
    const copy = join(unfinished, DATA_FILE);
    examineFile(copy, `The copy of ${folder}`, Infinity);
    // LMDB makes its copies for all users to read.
    await chmod(copy, FILE_MODE);
    await flush(copy);
    await rename(copy, file);
    await flush(dirname(resolve(file)));
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return [`Backed up ${folder} into ${file}: ${(await stat(file)).size} bytes.`];
}

/** Throws where there is something under that name. */
export async function refuseExisting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new Error(`${path} is there already, and is not overwritten. Name another one, or move it away.`);
}

/** Takes the mark of its owner out of a copy: who has the original open does not have this one. Leaves it safe on the disk. */
export async function disown(folder: string): Promise<void> {
  const rows: Rows = openDatabase({
    path: folder,
    noSubdir: false,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
    ...privateFiles,
  });
  try {
    rows.transactionSync(() => rows.removeSync(ownerKey));
  } finally {
    await rows.close();
  }
}

async function copyInto(folder: string, target: string): Promise<void> {
  for (let tries = TRIES; ; tries -= 1) {
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { mode: FOLDER_MODE });
    const rows = await openToRead(folder);
    try {
      // Compact: the pages in use, read one by one through their trees; free ones are left out.
      return await rows.backup(target, true);
    } catch (error) {
      if (tries === 1) throw new Error(`${folder} could not be copied: ${String(error)}.`, { cause: error });
    } finally {
      await rows.close();
    }
  }
}
