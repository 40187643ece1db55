import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fileAttachments } from '../../adapters/file/index.ts';
import { backUpStore } from '../../adapters/lmdb/backup.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { restoreStore } from '../../adapters/lmdb/restore.ts';
import { sampleTask } from '../conformance/store/samples.ts';
import { watchFlushes } from '../support/file-watch.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

const onLinux = process.platform === 'linux';

// Windows has no such modes.
describe.skipIf(process.platform === 'win32')('what is written to a disk', () => {
  const task = 'ab'.repeat(16);
  let folder: TempFolder;
  const at = (...names: string[]): string => join(folder.path, ...names);

  beforeEach(async () => {
    folder = await tempFolder('private');
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await folder.remove();
  });

  /** The mode of everything below the folder of the test, by path. */
  async function modes(): Promise<Record<string, string>> {
    const names = (await readdir(folder.path, { recursive: true })).sort();
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, ((await stat(at(name))).mode & 0o777).toString(8)] as const)),
    );
  }

  it('by an LMDB store is for its user alone, with its backups and what is restored from them', async () => {
    const store = lmdbStore({ path: at('made', 'tasks') });
    await store.open();
    await store.create(sampleTask());
    const file = '600';
    expect(await modes()).toEqual({
      made: '700',
      'made/tasks': '700',
      'made/tasks/data.mdb': file,
      'made/tasks/lock.mdb': file,
      'made/tasks/owner.json': file,
    });
    await store.close();
    await backUpStore(at('made', 'tasks'), at('backups', 'monday.mdb'));
    await restoreStore(at('backups', 'monday.mdb'), at('again'));
    expect(await modes()).toMatchObject({
      backups: '700',
      'backups/monday.mdb': file,
      again: '700',
      'again/data.mdb': file,
    });
  });

  it('as an attachment is for its user alone', async () => {
    const attachments = fileAttachments({ path: at('made', 'files') });
    await attachments.claim('c'.repeat(32));
    await attachments.put(`${task}/0`, bytes());
    expect(await modes()).toEqual({
      made: '700',
      'made/files': '700',
      'made/files/.store': '600',
      [`made/files/${task}`]: '700',
      [`made/files/${task}/0`]: '600',
    });
  });

  it('leaves folders of the host as they are', async () => {
    for (const name of ['tasks', 'files']) await mkdir(at(name), { mode: 0o750 });
    const store = lmdbStore({ path: at('tasks') });
    await store.open();
    await store.close();
    await fileAttachments({ path: at('files') }).put(`${task}/0`, bytes());
    expect(await modes()).toMatchObject({ tasks: '750', files: '750', 'tasks/data.mdb': '600' });
  });

  it.runIf(onLinux)('has a name that outlives a power cut, with the folders above it that were made for it', async () => {
    const flushed = await watchFlushes();
    const since = (): string[] => flushed.splice(0);

    const store = lmdbStore({ path: at('made', 'tasks') });
    await store.open();
    await store.close();
    expect(since()).toEqual([at('made'), folder.path, at('made', 'tasks')]);
    // Where somebody was killed between the file and its name.
    await store.open();
    await store.close();
    expect(since()).toEqual([at('made', 'tasks')]);

    const attachments = fileAttachments({ path: at('files') });
    await attachments.claim('c'.repeat(32));
    expect(since()).toEqual([folder.path, at('files', '.store'), at('files')]);
    await attachments.put(`${task}/0`, bytes());
    expect(since().map((path) => (path.endsWith('.part') ? dirname(path) : path))).toEqual([at('files'), at('files', task), at('files')]);

    await backUpStore(at('made', 'tasks'), at('backups', 'monday.mdb'));
    expect(since().slice(0, 1)).toEqual([folder.path]);
    await restoreStore(at('backups', 'monday.mdb'), at('again'));
    expect([since().slice(0, 1), flushed]).toEqual([[folder.path], []]);
  });
});

async function* bytes(): AsyncIterable<Uint8Array> {
  yield Buffer.from('x');
}
