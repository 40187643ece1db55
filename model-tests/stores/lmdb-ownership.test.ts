import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { sampleTask } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChild } from './children/child.ts';

describe('an LMDB store', () => {
  let path: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('owner'));
  });
  afterEach(() => remove());

  it('refuses a second process, and names the first one and when it started', async () => {
    const store = lmdbStore({ path });
    await store.open();
    const child = startChild('opens', path);
    const line = await child.nextLine();
    expect(line).toContain(`process ${process.pid}, started ${(await readOwner()).startedAt}`);
    await child.killHard();
    expect(await store.create(sampleTask())).toEqual({ created: true });
    await store.close();
  });

  it('is refused by a process that has it, taken over when that one is killed, and names it before', async () => {
    const child = startChild('opens', path);
    expect(await child.nextLine()).toBe('open');
    const store = lmdbStore({ path });
    await expect(store.open()).rejects.toThrow(new RegExp(`in use by process ${child.pid}, started \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z`));
    await expect(store.load('x')).rejects.toThrow('not open');
    await child.killHard();
    await store.open();
    expect(await store.create(sampleTask())).toEqual({ created: true });
    await store.close();
  });

  it('is had by exactly one of three processes that open it at once', async () => {
    const children = Array.from({ length: 3 }, () => startChild('opens', path));
    const lines = await Promise.all(children.map((child) => child.nextLine()));
    const owner = children[lines.indexOf('open')];
    expect(lines.filter((line) => line === 'open')).toHaveLength(1);
    for (const line of lines) if (line !== 'open') expect(line).toContain(`in use by process ${owner?.pid},`);
    await Promise.all(children.map((child) => child.killHard()));
  });

  it('refuses the same process a second time, without harm to the first', async () => {
    const [first, second] = [lmdbStore({ path }), lmdbStore({ path })];
    await first.open();
    await expect(second.open()).rejects.toThrow(`process ${process.pid}`);
    const task = sampleTask();
    expect(await first.create(task)).toEqual({ created: true });
    await first.close();
    await second.open();
    expect(await second.load(task.taskId)).toMatchObject({ revision: 1 });
    await second.close();
  });

  it('takes calls of open and close that overlap one after the other', async () => {
    const store = lmdbStore({ path });
    await Promise.all([store.open(), store.open(), store.close(), store.open()]);
    const task = sampleTask();
    await store.create(task);
    await Promise.all([store.close(), store.open()]);
    expect(await store.load(task.taskId)).toMatchObject({ revision: 1 });
    await store.close();
  });

  it.each([
    ['the process that had it is gone', { pid: 2 ** 22 + 1 }],
    ['its process id belongs to a later process', { start: '1' }],
    ['the machine was booted since', { boot: 'another-boot' }],
  ])('takes over where %s', async (_, difference) => {
    const store = lmdbStore({ path });
    await store.open();
    const owner = await readOwner();
    await store.close();
    await writeOwner({ ...owner, ...difference });
    await store.open();
    expect(await store.create(sampleTask())).toEqual({ created: true });
    await store.close();
  });

  it('writes nothing any more once another process took it over', async () => {
    const store = lmdbStore({ path });
    await store.open();
    const [before, after] = [sampleTask(), sampleTask()];
    await store.create(before);
    await writeOwner({ ...(await readOwner()), pid: 4711 });
    await expect(store.create(after)).rejects.toThrow('taken over');
    await expect(store.now()).rejects.toThrow('taken over');
    expect(await store.load(after.taskId)).toBeUndefined();
    expect(await store.load(before.taskId)).toMatchObject({ revision: 1 });
    await store.close();
  });

  // The owner's row is this adapter's own business; the tests look at it to stand in for a process that is gone.
  async function readOwner(): Promise<{ readonly startedAt: string }> {
    const rows = openRows();
    const row = rows.get(['o']);
    await rows.close();
    return JSON.parse(String(row)) as { startedAt: string };
  }

  async function writeOwner(owner: object): Promise<void> {
    const rows = openRows();
    await rows.put(['o'], Buffer.from(JSON.stringify(owner)));
    await rows.close();
  }

  function openRows(): ReturnType<typeof open<Buffer>> {
    return open<Buffer>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
  }
});
