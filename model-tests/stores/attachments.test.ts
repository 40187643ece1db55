import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileAttachments } from '../../adapters/file/index.ts';
import { memoryAttachments } from '../../adapters/memory/index.ts';
import { attachmentStoreSuite, defineTests } from '../conformance/index.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

defineTests({ describe, it }, attachmentStoreSuite, 'memory', async () => ({ attachments: memoryAttachments(), async close() {} }), {
  inapplicable: ['lasting.keeps-its-files-beyond-its-life', 'lasting.knows-beyond-its-life-whose-its-files-are'],
});

defineTests({ describe, it }, attachmentStoreSuite, 'file', async () => {
  const { path, remove } = await tempFolder('file');
  return {
    attachments: fileAttachments({ path }),
    reopen: async () => fileAttachments({ path }),
    close: remove,
  };
});

describe('file attachments', () => {
  const task = 'ab'.repeat(16);
  let folder: TempFolder;
  let path: string;

  beforeEach(async () => {
    folder = await tempFolder('file');
    path = join(folder.path, 'made', 'on', 'demand');
  });
  afterEach(async () => {
    await folder.remove();
  });

  it('are shared only where the host says so', () => {
    expect([fileAttachments({ path }).shared, fileAttachments({ path, shared: true }).shared]).toEqual([false, true]);
  });

  it.each([
    '',
    'x',
    '/etc/passwd',
    '../0',
    `${task}/../0`,
    `${task}/..`,
    `${task}/0/0`,
    `${task}/`,
    `${task}/00`,
    `${task}/-1`,
    `${task}/0.part`,
    `${task.toUpperCase()}/0`,
    `${task}/0\n`,
    `${task}\\0`,
  ])('refuse the key %j', async (key) => {
    const attachments = fileAttachments({ path });
    const nothing = (async function* () {})();
    await expect(attachments.put(key, nothing)).rejects.toThrow('no attachment key');
    await expect(attachments.open(key)).rejects.toThrow('no attachment key');
    await expect(attachments.remove(key)).rejects.toThrow('no attachment key');
  });

  it('go by the time at which the file was written', async () => {
    const attachments = fileAttachments({ path });
    for (const index of [0, 1]) await attachments.put(`${task}/${index}`, (async function* () {})());
    await utimes(join(path, task, '0'), 1_000, 1_000);
    expect(await collect(attachments.keys(1_000_001))).toEqual([`${task}/0`]);
    expect(await collect(attachments.keys(1_000_000))).toEqual([]);
  });

  it('clear away what an interrupted upload left behind, once it is old, and leave foreign files alone', async () => {
    const attachments = fileAttachments({ path });
    await mkdir(join(path, task), { recursive: true });
    const names = ['old.part', 'new.part', 'readme', join(task, 'notes.txt')];
    for (const name of names) await writeFile(join(path, name), 'x');
    for (const name of names.filter((each) => each !== 'new.part')) await utimes(join(path, name), 1_000, 1_000);
    expect(await collect(attachments.keys(2_000_000))).toEqual([]);
    expect((await readdir(path)).sort()).toEqual([task, 'new.part', 'readme'].sort());
    expect(await readdir(join(path, task))).toEqual(['notes.txt']);
  });

  it('survive that uploads and removals of one task meet', async () => {
    const attachments = fileAttachments({ path });
    const upload = (index: number): Promise<void> => attachments.put(`${task}/${index}`, (async function* () {})());
    for (let round = 0; round < 20; round += 1) {
      await upload(0);
      await Promise.all([upload(1), attachments.remove(`${task}/0`)]);
      expect(await collect(attachments.keys(8e15))).toEqual([`${task}/1`]);
      await attachments.remove(`${task}/1`);
    }
  });

  it('survive that the folder of a task is taken away again and again while its files come', async () => {
    const attachments = fileAttachments({ path });
    for (let round = 0; round < 50; round += 1) {
      let uploading = 4;
      const upload = async (index: number): Promise<void> => {
        await attachments.put(`${task}/${index}`, (async function* () {})()).finally(() => (uploading -= 1));
        await attachments.remove(`${task}/${index}`);
      };
      const removals = async (): Promise<void> => {
        while (uploading > 0) await attachments.remove(`${task}/9`);
      };
      await Promise.all([upload(0), upload(1), upload(2), upload(3), removals(), removals()]);
    }
    expect(await readdir(path)).toEqual([]);
  });

  it.each(['', '{"v":1}', '{"v":2,"storeId":"a"}', 'null', 'not json'])(
    'say so where nobody can tell from %j whose they are',
    async (text) => {
      const attachments = fileAttachments({ path });
      await mkdir(path, { recursive: true });
      await writeFile(join(path, '.store'), text);
      await expect(attachments.storeId()).rejects.toThrow(/\.store does not say whose files are beside it: .* Delete it/);
      await expect(attachments.claim('a'.repeat(32))).rejects.toThrow('does not say');
    },
  );

  it('belong to one store where two claim them at once', async () => {
    const claims = await Promise.allSettled(['a', 'b', 'c'].map((digit) => fileAttachments({ path }).claim(digit.repeat(32))));
    const noted = await fileAttachments({ path }).storeId();
    // One that comes while the mark is written may be told that it cannot be read.
    const told = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
    expect(told).toEqual(told.map(() => noted));
    expect(told.length).toBeGreaterThan(0);
  });

  it('leave no empty folders', async () => {
    const attachments = fileAttachments({ path });
    for (const index of [0, 1]) await attachments.put(`${task}/${index}`, (async function* () {})());
    await attachments.remove(`${task}/0`);
    expect(await readdir(path)).toEqual([task]);
    await attachments.remove(`${task}/1`);
    expect(await readdir(path)).toEqual([]);
  });
});

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}
