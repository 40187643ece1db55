import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, open, opendir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isUint8Array } from 'node:util/types';
import { assertOptionNames, type OptionNames, TaskBridgeError, type AttachmentStore } from '../../server/ports/index.ts';
import { FILE_MODE, flushFolder, FOLDER_MODE, makeFolder, onlyWhereThereIsOne } from './folder.ts';
import { createFolderMark, MARK } from './folder-mark.ts';

/** Options of {@link fileAttachments}. */
export interface FileAttachmentsOptions {
  /**
   * The folder of the files; made where there is none. One store a folder, nothing else in it: a file `.store` there says whose it is, and in that
   * of another store nothing is swept.
   */
  readonly path: string;
  /** True where the folder is on a volume that every node of the host has. Defaults to false. */
  readonly shared?: boolean;
}

/** `<task>/<index>`: the two parts are a folder and a file, and can be nothing else. */
const KEY = /^([0-9a-f]{32})\/(0|[1-9]\d{0,8})$/;
/** Ends the name of a file that is being written; no key's folder is called so. */
const UNFINISHED = '.part';

/**
 * Makes an attachment store in a folder. A file is there under its name when all of it is safe on the disk, and not before.
 *
 * `keys` goes by the time at which a file was written, as the file system tells it; what an interrupted `put` left behind is deleted on
 * the way, once it is that old.
 *
 * Where the disk is full, or refuses otherwise, `put` rejects with a `TaskBridgeError` of `STORE_UNAVAILABLE`: an upload is answered 503 with
 * Retry-After, and the logger has the reason.
 *
 * Throws a `TypeError` for an option that there is not. Keys are `<32 hex digits>/<number>`; every verb rejects another one, so that no key leads out of the folder.
 */
export function fileAttachments(options: FileAttachmentsOptions): AttachmentStore {
  assertOptionNames(options, { path: true, shared: true } satisfies OptionNames<FileAttachmentsOptions>, 'fileAttachments');
  const { path, shared = false } = options;
  const writing = new Set<string>();
  /** How many files are about to get their names in a folder: it is not taken away meanwhile, so that an upload waits for no end of removals. */
  const filling = new Map<string, number>();

  return {
    shared,
    ...createFolderMark(path),

    async put(key, bytes) {
      const { folder, file } = place(path, key);
      await onDisk(path, makeFolder(path));
      const unfinished = `${randomUUID()}${UNFINISHED}`;
      writing.add(unfinished);
      try {
        await writeSafely(path, unfinished, bytes);
        filling.set(folder, (filling.get(folder) ?? 0) + 1);
        await onDisk(path, moveInto(folder, join(path, unfinished), file)).finally(() => {
          const others = (filling.get(folder) ?? 1) - 1;
          if (others > 0) filling.set(folder, others);
          else filling.delete(folder);
        });
      } catch (error) {
        await rm(join(path, unfinished), { force: true });
        throw error;
      } finally {
        writing.delete(unfinished);
      }
      await onDisk(path, flushFolder(folder));
      await onDisk(path, flushFolder(path));
    },

    async open(key) {
      const stream = createReadStream(place(path, key).file);
      await once(stream, 'open').catch((error: unknown) => {
        throw new Error(`There is no attachment ${key} in ${path}.`, { cause: error });
      });
      return stream;
    },

    async remove(key) {
      const { folder, file } = place(path, key);
      await rm(file, { force: true });
      if (!filling.has(folder)) await dropFolder(folder);
    },

    async *keys(writtenBefore) {
      const isOld = async (...names: string[]): Promise<boolean> => {
        const writtenAt = await stat(join(path, ...names)).then(({ mtimeMs }) => mtimeMs, onlyWhereThereIsOne);
        return writtenAt !== undefined && writtenAt < writtenBefore;
      };
      for await (const task of entriesOf(path)) {
        if (task === MARK) continue;
        if (task.endsWith(UNFINISHED)) {
          if (!writing.has(task) && (await isOld(task))) await rm(join(path, task), { force: true });
          continue;
        }
        for await (const index of entriesOf(join(path, task))) {
          if (KEY.test(`${task}/${index}`) && (await isOld(task, index))) yield `${task}/${index}`;
        }
      }
    },
  };
}

function place(path: string, key: string): { folder: string; file: string } {
  const [, task, index] = KEY.exec(key) ?? [];
  if (task === undefined || index === undefined)
    throw new Error(`${JSON.stringify(key)} is no attachment key: it must be 32 hex digits, "/" and a number.`);
  return { folder: join(path, task), file: join(path, task, index) };
}

async function writeSafely(path: string, name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await onDisk(path, open(join(path, name), 'wx', FILE_MODE));
  try {
    for await (const chunk of bytes) {
      // A text, from a host without types, has no length in bytes: nothing of it would be written, and nobody told.
      if (!isUint8Array(chunk)) throw new TypeError(`A file is written from bytes, and was given ${typeof chunk}.`);
      await onDisk(path, writeAll(handle, chunk));
    }
    await onDisk(path, handle.sync());
  } finally {
    await handle.close();
  }
}

/** What says that there is no room: on the disk, within a quota, within the limit for one file. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];
/** A disk is not made larger within a second. */
const RETRY_AFTER_SECONDS = 60;

/** What a disk refuses is no failure of the caller's request, which may be sent again: a 503. The reason stays with the host. */
async function onDisk<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isFull = NO_ROOM.includes((error as NodeJS.ErrnoException).code);
    throw new TaskBridgeError(
      'STORE_UNAVAILABLE',
      isFull ? 'There is no room for files at present; try again later.' : 'Files cannot be stored at present; try again later.',
      {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        cause: new Error(`The folder of attachments ${path} cannot be written: ${String(error)}.`, { cause: error }),
      },
    );
  }
}

/** One `write` may take less than it is given. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength;) at += (await handle.write(chunk, at)).bytesWritten;
}

/** Removals by other processes, and those that had begun, that may meet one upload: as many as a task has files, and more. */
const MOVE_TRIES = 20;

/**
 * Gives a file its name. Another `remove` may take the folder away in between, when it was empty. Not by a recursive `mkdir`: that one looks again at
 * what it found there, and fails where it is gone by then.
 */
async function moveInto(folder: string, from: string, to: string, tries = MOVE_TRIES): Promise<void> {
  await mkdir(folder, { mode: FOLDER_MODE }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || tries === 1) throw error;
    return moveInto(folder, from, to, tries - 1);
  });
}

/** Deletes a folder that nothing is left in. */
async function dropFolder(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

/** Names in a folder; none where there is no folder. */
async function* entriesOf(folder: string): AsyncIterable<string> {
  const names = await opendir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTDIR') onlyWhereThereIsOne(error);
  });
  if (names) for await (const { name } of names) yield name;
}
