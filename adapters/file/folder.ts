import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Files are for the host's own user: other users of the machine neither read nor list them. What is there already keeps its mode. */
export const FILE_MODE = 0o600;
/** The mode of folders that are made here. */
export const FOLDER_MODE = 0o700;

/** Makes a folder where there is none, with those above it, their names safe on the disk. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  const top = resolve(first);
  for (let made = resolve(path); made.length >= top.length; made = dirname(made)) await flushFolder(dirname(made));
}

/** Makes a new name in a folder as durable as the file behind it, unless both were removed by now. Windows has no such thing. */
export async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(onlyWhereThereIsOne);
  if (!handle) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Takes a failure for nothing where it says that there is no such file; throws any other. */
export function onlyWhereThereIsOne(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
