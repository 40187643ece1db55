import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../server/ports/index.ts';
import { FILE_MODE } from './folder.ts';
import type { ProcessMark } from './process.ts';

/**
 * The file beside the data in which an owner counts. It is no row: a row can only be read by opening the database, which does harm while a
 * process of the same id has it open in another container, costs two flushes a beat, and stands still on a full disk.
 */
const FILE = 'owner.json';
/** How often an owner counts, in milliseconds. */
export const BEAT_MS = 1000;
/** All texts are as long, so that a beat is one write in place: it needs no new room on the disk. */
const TEXT_BYTES = 1024;

/** What stands in the file. */
export interface Heartbeat {
  readonly owner: ProcessMark;
  /** Another one at each beat. */
  readonly beats: number;
}

/** An owner's heart. */
export interface Heart {
  /** Resolves when it beats no more, and its file is gone, where that is still its own. */
  stop(): Promise<void>;
}

/** Reads the file: undefined where there is none, or none that is whole. */
export async function readHeartbeat(path: string): Promise<Heartbeat | undefined> {
  const text = await readFile(join(path, FILE), 'utf8').catch(onlyWhereThereIsOne);
  try {
    // Written by `startHeart` only; what a full disk left of it is no beat.
    const { beats, ...owner } = JSON.parse(text ?? '') as ProcessMark & { readonly beats: number };
    return { owner, beats };
  } catch {
    return undefined;
  }
}

/** How long ago the file was written, in milliseconds by the clock of who reads it; undefined where there is none. For people. */
export async function ageOfHeartbeat(path: string, clock: Clock): Promise<number | undefined> {
  const file = await stat(join(path, FILE)).catch(onlyWhereThereIsOne);
  return file && Math.max(0, Math.round(clock.now() - file.mtimeMs));
}

/**
 * Counts in the file until it is stopped; resolves after the first beat. A beat that fails is left out: it says nothing of the store.
 *
 * @param isOwner asked where another process counts in the file; where it says no, this heart beats no more.
 */
export async function startHeart(path: string, owner: ProcessMark, clock: Clock, isOwner: () => boolean): Promise<Heart> {
  const name = JSON.stringify(owner);
  let beats = 0;
  let timer: unknown;
  let isStopped = false;
  let beating: Promise<void>;

  const isForeign = (found: Heartbeat | undefined): boolean => found !== undefined && JSON.stringify(found.owner) !== name;
  async function beat(isFirst: boolean): Promise<void> {
    if (!isFirst && isForeign(await readHeartbeat(path)) && !isOwner()) return;
    beats += 1;
    await writeInPlace(join(path, FILE), JSON.stringify({ ...owner, beats }).padEnd(TEXT_BYTES));
  }
  function goOn(isFirst: boolean): Promise<void> {
    beating = beat(isFirst)
      .catch(() => undefined)
      .then(() => {
        if (!isStopped) timer = clock.setTimeout(() => void goOn(false), BEAT_MS);
      });
    return beating;
  }

  await goOn(true);
  return {
    async stop() {
      isStopped = true;
      clock.clearTimeout(timer);
      await beating;
      if (!isForeign(await readHeartbeat(path))) await rm(join(path, FILE), { force: true });
    },
  };
}

async function writeInPlace(file: string, text: string): Promise<void> {
  const handle = await open(file, 'r+').catch((error: NodeJS.ErrnoException) => onlyWhereThereIsOne(error) ?? open(file, 'w', FILE_MODE));
  try {
    await handle.write(text, 0);
  } finally {
    await handle.close();
  }
}

function onlyWhereThereIsOne(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
