import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttachmentStore } from '../../server/ports/index.ts';
import { FILE_MODE, flushFolder, makeFolder } from './folder.ts';

/** The name of the file that says whose the folder is; no key's folder is called so. */
export const MARK = '.store';
/** The form of its text. */
export const FOLDER_MARK_VERSION = 1;

/** Keeps the id of the store that a folder belongs to, in a file of the folder. */
export function createFolderMark(path: string): Pick<AttachmentStore, 'storeId' | 'claim'> {
  const file = join(path, MARK);

  async function storeId(): Promise<string | undefined> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    return text === undefined ? undefined : readMark(text, file);
  }

  return {
    storeId,

    async claim(id) {
      await makeFolder(path);
      // Whoever makes the file first has it: nothing but that is atomic on every file system.
      const handle = await open(file, 'wx', FILE_MODE).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      if (!handle) return (await storeId()) ?? id;
      try {
        await handle.writeFile(`${JSON.stringify({ v: FOLDER_MARK_VERSION, storeId: id })}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await flushFolder(path);
      return id;
    },
  };
}

function readMark(text: string, file: string): string {
  const mark = parse(text);
  if (typeof mark?.storeId !== 'string' || mark.v !== FOLDER_MARK_VERSION)
    throw new Error(
      `${file} does not say whose files are beside it: ${JSON.stringify(text.slice(0, 100))}. Delete it where they are this host's; until then none is swept.`,
    );
  return mark.storeId;
}

function parse(text: string): { readonly v?: unknown; readonly storeId?: unknown } | undefined {
  try {
    return (JSON.parse(text) as { readonly v?: unknown; readonly storeId?: unknown } | null) ?? undefined;
  } catch {
    return undefined;
  }
}
