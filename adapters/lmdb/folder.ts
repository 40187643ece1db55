import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Tasks are for the host's own user: other users of the machine neither read nor list them. What is there already keeps its mode. */
export const FILE_MODE = 0o600;
/** The mode of folders that are made here. */
export const FOLDER_MODE = 0o700;
/** Has lmdb make its files so; its types do not know the option. */
export const privateFiles = { permissionsMode: FILE_MODE };

/** Makes a folder where there is none, with those above it, their names safe on the disk. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  const top = resolve(first);
  for (let made = resolve(path); made.length >= top.length; made = dirname(made)) await flush(dirname(made));
}

/** Makes a file, or the names in a folder, safe on the disk. Windows flushes no folders. */
export async function flush(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
