import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The part of a work file that a saved state may rely on. */
export type SavedLength = {
  readonly name: string;
  readonly bytes: number;
};

/**
 * A file that grows chunk by chunk and survives the process. What was written counts only once the state that names it is saved: a later
 * attempt begins with a copy of exactly those bytes, in a file of its own, so that a former run that still writes does no harm.
 */
export class WorkFile {
  readonly #name: string;
  readonly #file: FileHandle;
  #bytes: number;
  #pending: (string | Uint8Array)[] = [];

  private constructor(name: string, file: FileHandle, bytes: number) {
    this.#name = name;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens the file of one attempt, with what an earlier one left where there is something. */
  static async open(directory: string, noun: string, attempt: number, vouched: SavedLength | null): Promise<WorkFile> {
    await mkdir(directory, { recursive: true });
    const name = `${noun}-${attempt}`;
    const path = join(directory, name);
    if (vouched?.name === name) await truncate(path, vouched.bytes);
    else if (vouched && vouched.bytes > 0)
      await pipeline(createReadStream(join(directory, vouched.name), { end: vouched.bytes - 1 }), createWriteStream(path));
    else await (await open(path, 'w')).close();
    return new WorkFile(name, await open(path, 'a'), vouched?.bytes ?? 0);
  }

  write(part: string | Uint8Array): void {
    this.#pending.push(part);
  }

  /** Puts everything on the disk; resolves with what a state that is saved next may rely on. */
  async settle(): Promise<SavedLength> {
    const bytes = Buffer.concat(this.#pending.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    this.#pending = [];
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#bytes += bytes.length;
    return { name: this.#name, bytes: this.#bytes };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
