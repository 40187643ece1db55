import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isLayoutKnown, openDataFile, PageFault, type DataFile, type Meta } from './pages.ts';

/** The file in which LMDB keeps a folder's data. */
export const DATA_FILE = 'data.mdb';
/** How many pages are looked at before a store is opened: the upper ones of its trees. A store of up to 8 MiB is looked at whole. */
const PAGES_MAX = 2048;

/** Looks whether LMDB can open the store in a folder, as {@link examineFile} does. Does nothing where there is none yet. */
export function examineDataFile(folder: string): void {
  if (existsSync(join(folder, DATA_FILE))) examineFile(join(folder, DATA_FILE), `The LMDB store at ${folder}`);
}

/**
 * Looks whether LMDB can open a file: it maps it, and what it then misses ends the process without a word. Looks at the file's start, its
 * length, and as many pages as are asked for; at all that a tree leads to where the file is shorter than it says, which may be well: LMDB does
 * not write pages that are free.
 *
 * @param name what it is, for people.
 * @param pagesMax how many pages are looked at, {@link PAGES_MAX} unless it is said; `Infinity` for all.
 * @throws an `Error` that says what is wrong with the file, and what to do.
 */
export function examineFile(file: string, name: string, pagesMax = PAGES_MAX): void {
  if (!isLayoutKnown) return;
  const data = openDataFile(file);
  try {
    examine(data, pagesMax);
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
    throw new Error(
      `${name} is damaged: ${basename(file)}: ${error.message}. Nothing was changed. Restore a backup (npx taskbridge lmdb restore); to begin ` +
        'with an empty store, move the file away.',
      { cause: error },
    );
  } finally {
    data.close();
  }
}

function examine(data: DataFile, pagesMax: number): void {
  if (data.bytes === 0) throw new PageFault('it is empty, and a store never is');
  const meta = data.meta();
  const isWhole = Number(meta.lastPage + 1n) * meta.pageBytes <= data.bytes;
  try {
    walk(data, meta, isWhole ? pagesMax : Infinity);
  } catch (error) {
    // A process of an earlier version, which is not seen from outside, may be writing: LMDB tells what it is then.
    if (data.meta().transaction === meta.transaction) throw error;
  }
}

/** From the roots down, level by level. */
function walk(data: DataFile, meta: Meta, pagesMax: number): void {
  const seen = new Set<bigint>();
  for (let level = meta.roots; level.length > 0;) {
    const below: bigint[] = [];
    for (const page of level) {
      if (seen.size >= pagesMax) return;
      if (seen.has(page)) throw new PageFault(`page ${page} is in its trees twice`);
      seen.add(page);
      for (const next of data.follow(page, meta)) below.push(next);
    }
    level = below;
  }
}
