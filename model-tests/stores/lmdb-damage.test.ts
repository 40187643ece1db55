import { copyFile, mkdir, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { examineDataFile } from '../../adapters/lmdb/data-file.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { commitOf, factOf, sampleTask } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChild } from './children/child.ts';

describe('an LMDB data file', () => {
  let base: string;
  let remove: () => Promise<void>;
  let whole: string;
  let bytes: number;
  let taskId: string;
  let count = 0;
  /** The store of the test, a copy of the whole one. */
  let path: string;
  let file: string;

  beforeAll(async () => {
    ({ path: base, remove } = await tempFolder('damage'));
    whole = join(base, 'whole');
    const store = lmdbStore({ path: whole });
    await store.open();
    const tasks = Array.from({ length: 30 }, () => sampleTask());
    taskId = tasks[0]?.taskId ?? '';
    for (const task of tasks) await store.create(task);
    for (let revision = 1; revision < 8; revision += 1)
      for (const task of tasks)
        await store.append(
          commitOf(task.taskId, revision, { facts: [factOf(task.taskId, revision, { message: 'x'.repeat(revision * 3000) })] }),
        );
    await store.close();
    bytes = (await stat(join(whole, 'data.mdb'))).size;
  });
  afterAll(() => remove());
  beforeEach(async () => {
    path = join(base, String((count += 1)));
    file = join(path, 'data.mdb');
    await mkdir(path);
    await copyFile(join(whole, 'data.mdb'), file);
  });

  const overwrite = async (from: number, length: number, byte: () => number = () => 0): Promise<void> => {
    const handle = await open(file, 'r+');
    await handle.write(Uint8Array.from({ length }, byte), 0, length, from);
    await handle.close();
  };
  let seed = 7;
  const noise = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) >> 16;

  // What ends a process comes in one of its own: each of these is opened twice there.
  it.each<[string, RegExp, () => Promise<void>]>([
    ['empty', /it is empty/, () => truncate(file, 0)],
    ['of one byte', /it ends at byte 1/, () => truncate(file, 1)],
    ['of half a page', /it ends at byte 2048/, () => truncate(file, 2048)],
    ['of its first two pages', /it was cut off: it has 8192 bytes/, () => truncate(file, 8192)],
    ['half copied', /it was cut off/, () => truncate(file, Math.floor(bytes / 2))],
    ['short of its last page', /it was cut off/, () => truncate(file, bytes - 4096)],
    ['short of its last byte', /it was cut off/, () => truncate(file, bytes - 1)],
    ['of zeros', /no file of LMDB/, () => overwrite(0, bytes)],
    ['of zeros after its start', /never written/, () => overwrite(8192, bytes - 8192)],
    ['half of zeros', /never written/, () => overwrite(Math.floor(bytes / 8192) * 4096, Math.floor(bytes / 2))],
    ['of something else', /no file of LMDB/, () => overwrite(0, bytes, noise)],
    ['of something else after its start', /data\.mdb: page \d+ /, () => overwrite(8192, bytes - 8192, noise)],
    ['a text', /it ends at byte 5/, () => writeFile(file, 'hello')],
    ['of another format', /format 1 of LMDB, and this one reads format 2/, () => overwrite(28, 1, () => 1)],
  ])('that is %s is refused with a sentence, and stays as it is', async (_, message, damage) => {
    await damage();
    const before = await readFile(file);
    const child = startChild('damage', path, taskId);
    const line = await child.nextLine();
    expect(line).toMatch(message);
    expect(line).toContain(`The LMDB store at ${path} is damaged: data.mdb: `);
    expect(line).toContain('Restore a backup');
    await child.killHard();
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  it.each<[string, () => Promise<void>]>([
    ['as it was written', async () => undefined],
    // What LMDB leaves where the last pages were freed before they were written: both starts say more pages than there are.
    ['shorter than it says, by pages that nothing leads to', () => moreLastPages(100n)],
    ['longer than it says', () => truncate(file, bytes + 100_000)],
  ])('is opened: %s', async (_, change) => {
    await change();
    const child = startChild('damage', path, taskId);
    expect(await child.nextLine()).toBe('there');
    await child.killHard();
  });

  it('is none in an empty folder, which a store may begin in', () => {
    expect(() => examineDataFile(join(base, 'nowhere'))).not.toThrow();
  });

  async function moreLastPages(more: bigint): Promise<void> {
    const handle = await open(file, 'r+');
    for (const start of [0, 4096]) {
      const at = start + 24 + 120;
      const number = Buffer.alloc(8);
      await handle.read(number, 0, 8, at);
      number.writeBigUInt64LE(number.readBigUInt64LE() + more);
      await handle.write(number, 0, 8, at);
    }
    await handle.close();
  }
});
