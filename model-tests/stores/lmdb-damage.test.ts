import { copyFile, mkdir, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backUpStore } from '../../adapters/lmdb/backup.ts';
import { examineDataFile } from '../../adapters/lmdb/data-file.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { commitOf, factOf, sampleTask } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChild, type Child } from './children/child.ts';

const PAGE = 4096;

/** What is done to the file of a store of so many bytes, a copy of the whole one. */
type Damage = (file: string, bytes: number) => Promise<void>;

const refused: readonly (readonly [name: string, message: RegExp, damage: Damage])[] = [
  ['empty', /it is empty/, (file) => truncate(file, 0)],
  ['of one byte', /it ends at byte 1/, (file) => truncate(file, 1)],
  ['of half a page', /it ends at byte 2048/, (file) => truncate(file, 2048)],
  ['of its first two pages', /it was cut off: it has 8192 bytes/, (file) => truncate(file, 2 * PAGE)],
  ['half copied', /it was cut off/, (file, bytes) => truncate(file, Math.floor(bytes / 2))],
  ['short of its last page', /it was cut off/, (file, bytes) => truncate(file, bytes - PAGE)],
  ['short of its last byte', /it was cut off/, (file, bytes) => truncate(file, bytes - 1)],
  ['of zeros', /no file of LMDB/, (file, bytes) => overwrite(file, 0, bytes)],
  ['of zeros after its start', /never written/, (file, bytes) => overwrite(file, 2 * PAGE, bytes - 2 * PAGE)],
  ['half of zeros', /never written/, (file, bytes) => overwrite(file, Math.floor(bytes / (2 * PAGE)) * PAGE, Math.floor(bytes / 2))],
  ['of something else', /no file of LMDB/, (file, bytes) => overwrite(file, 0, bytes, noise)],
  ['of something else after its start', /data\.mdb: page \d+ /, (file, bytes) => overwrite(file, 2 * PAGE, bytes - 2 * PAGE, noise)],
  ['a text', /it ends at byte 5/, (file) => writeFile(file, 'hello')],
  ['of another format', /format 1 of LMDB, and this one reads format 2/, (file) => overwrite(file, 28, 1, () => 1)],
];

const opened: readonly (readonly [name: string, change: Damage])[] = [
  ['as it was written', async () => undefined],
  // What LMDB leaves where the last pages were freed before they were written: both starts say more pages than there are.
  ['shorter than it says, by pages that nothing leads to', (file) => moreLastPages(file, 100n)],
  ['longer than it says', (file, bytes) => truncate(file, bytes + 100_000)],
];

describe('an LMDB data file', () => {
  let base: string;
  let remove: () => Promise<void>;
  /** Opens all of them, one after the other. What ends a process ends this one, and the tests that follow say so. */
  let child: Child;
  const folderOf = (name: string): string => join(base, name.replaceAll(/\W/g, '-'));
  const fileOf = (name: string): string => join(folderOf(name), 'data.mdb');
  const before = new Map<string, Buffer>();

  beforeAll(async () => {
    ({ path: base, remove } = await tempFolder('damage'));
    const { file: whole, taskId } = await wholeStore(base);
    const { size } = await stat(whole);
    const all = [...refused.map(([name, , damage]) => [name, damage] as const), ...opened];
    for (const [name, damage] of all) {
      await mkdir(folderOf(name));
      await copyFile(whole, fileOf(name));
      await damage(fileOf(name), size);
      before.set(name, await readFile(fileOf(name)));
    }
    child = startChild('damage', taskId, ...all.map(([name]) => folderOf(name)));
  });
  afterAll(async () => {
    await child.killHard();
    await remove();
  });

  it.each(refused)('that is %s is refused with a sentence, and stays as it is', async (name, message) => {
    const line = await child.nextLine();
    expect(line).toMatch(message);
    expect(line).toContain(`The LMDB store at ${folderOf(name)} is damaged: data.mdb: `);
    expect(line).toContain('Restore a backup');
    expect((await readFile(fileOf(name))).equals(before.get(name) ?? Buffer.alloc(0))).toBe(true);
  });

  it.each(opened)('is opened: %s', async () => {
    expect(await child.nextLine()).toBe('there');
  });

  it('is none in an empty folder, which a store may begin in', () => {
    expect(() => examineDataFile(join(base, 'nowhere'))).not.toThrow();
  });
});

/** A store of some tasks in one file without free pages, as a backup is: its last page is one that its trees lead to. */
async function wholeStore(base: string): Promise<{ readonly file: string; readonly taskId: string }> {
  const path = join(base, 'whole');
  const store = lmdbStore({ path });
  await store.open();
  const tasks = Array.from({ length: 30 }, () => sampleTask());
  for (const task of tasks) await store.create(task);
  for (let revision = 1; revision < 8; revision += 1)
    for (const { taskId } of tasks)
      await store.append(commitOf(taskId, revision, { facts: [factOf(taskId, revision, { message: 'x'.repeat(revision * 3000) })] }));
  await store.close();
  const file = join(base, 'whole.mdb');
  await backUpStore(path, file);
  return { file, taskId: tasks[0]?.taskId ?? '' };
}

async function overwrite(file: string, from: number, length: number, byte: () => number = () => 0): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Uint8Array.from({ length }, byte), 0, length, from);
  await handle.close();
}

let seed = 7;
function noise(): number {
  return (seed = (seed * 1103515245 + 12345) % 2 ** 31) >> 16;
}

async function moreLastPages(file: string, more: bigint): Promise<void> {
  const handle = await open(file, 'r+');
  for (const start of [0, PAGE]) {
    const at = start + 24 + 120;
    const number = Buffer.alloc(8);
    await handle.read(number, 0, 8, at);
    number.writeBigUInt64LE(number.readBigUInt64LE() + more);
    await handle.write(number, 0, 8, at);
  }
  await handle.close();
}
