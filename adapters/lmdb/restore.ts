import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { disown, refuseExisting } from './backup.ts';
import { DATA_FILE, examineFile } from './data-file.ts';
import { FILE_MODE, flush, FOLDER_MODE, makeFolder } from './folder.ts';
import { placeOf } from './reader.ts';

/**
 * Makes a store of a backup, or of the closed store of another folder, in a folder that has none. It is there whole or not at all, and belongs
 * to nobody until it is opened.
 *
 * @throws an `Error` where the backup is damaged, or the folder has a store.
 */
export async function restoreStore(backup: string, folder: string): Promise<readonly string[]> {
  const { file } = await placeOf(backup);
  examineFile(file, backup, Infinity);
  const target = join(resolve(folder), DATA_FILE);
  await refuseExisting(target);
  const unfinished = `${target}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await makeFolder(resolve(folder));
  await mkdir(unfinished, { mode: FOLDER_MODE });
  try {
    const copy = join(unfinished, DATA_FILE);
    await copyFile(file, copy);
    // It comes with the mode of what was copied.
    await chmod(copy, FILE_MODE);
    await disown(unfinished);
    await flush(copy);
    await rename(copy, target);
    await flush(resolve(folder));
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return [`Restored ${backup} into ${folder}. A host that opens it goes on from there.`];
}
