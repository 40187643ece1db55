import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../../adapters/lmdb/cli.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { commitOf, factOf, legible, factsOf, readAll, sampleTask } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { readDuring, startChild } from './children/child.ts';

const bin = fileURLToPath(new URL('../../adapters/lmdb/bin.ts', import.meta.url));

describe('npx taskbridge lmdb', () => {
  let path: string;
  let remove: () => Promise<void>;
  const at = (name: string): string => join(path, name);

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('command'));
  });
  afterEach(() => remove());

  it('backs a store up while it is written to, checks the copy, and restores what goes on from there', async () => {
    const taskIds = await createTasks(4);
    const writer = startChild('appends', at('tasks'), ...taskIds);
    for (let lines = 0; lines < 40; lines += 1) await writer.nextLine();

    const backup = await readDuring(writer, run('backup', at('tasks'), at('copy.mdb')));
    expect(backup.result).toMatchObject({ code: 0, stdout: expect.stringMatching(/Backed up .* into .*copy\.mdb: \d+ bytes/) as string });
    const check = await readDuring(writer, run('check', at('tasks')));
    expect(check.result).toMatchObject({ code: 0, stdout: expect.stringMatching(/tasks is whole: 4 tasks, \d+ facts/) as string });
    // It wrote all the time, and writes still.
    expect([backup.lines, check.lines].filter((lines) => lines === 0)).toEqual([]);
    const again = await readDuring(writer, run('restore', at('copy.mdb'), at('again')));
    expect(again.result).toMatchObject({ code: 0, stdout: expect.stringMatching(/Restored/) as string });
    const store = lmdbStore({ path: at('again') });
    // The owner of the original lives, and has nothing to do with the copy.
    await readDuring(writer, store.open());
    await writer.killHard();
    expect(await run('check', at('copy.mdb'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/copy\.mdb is whole: 4 tasks, \d+ facts/) as string,
    });
    expect(await readdir(path)).toEqual(['again', 'copy.mdb', 'tasks']);
    expect(await readdir(at('again'))).toContain('data.mdb');

    for (const taskId of taskIds) {
      const revision = (await store.load(taskId))?.revision ?? 0;
      expect(revision).toBeGreaterThan(5);
      expect(legible((await readAll(store, taskId)).entries)).toEqual(legible(factsOf(taskId, 1, 2 * (revision - 1))));
      const next = 2 * revision - 1;
      expect(await store.append(commitOf(taskId, revision, { facts: [factOf(taskId, next)], plan: { wakeAt: 1, work: null } }))).toBe(
        'committed',
      );
    }
    await store.close();
  });

  it('overwrites nothing', async () => {
    await createTasks(1);
    await writeFile(at('copy.mdb'), 'mine');
    expect(await run('backup', at('tasks'), at('copy.mdb'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/copy\.mdb is there already/) as string,
    });
    expect(await readFile(at('copy.mdb'), 'utf8')).toBe('mine');
    expect(await run('backup', at('tasks'), at('other.mdb'))).toMatchObject({ code: 0 });
    expect(await run('restore', at('other.mdb'), at('tasks'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/data\.mdb is there already/) as string,
    });
  });

  it('leaves nothing behind of a backup of what is damaged, and of a restore from it', async () => {
    await createTasks(1);
    await run('backup', at('tasks'), at('copy.mdb'));
    await truncate(join(at('tasks'), 'data.mdb'), 9000);
    await truncate(at('copy.mdb'), 9000);
    expect(await run('check', at('tasks'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/tasks is damaged: data\.mdb: it was cut off/) as string,
    });
    expect(await run('backup', at('tasks'), at('second.mdb'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is damaged/) as string,
    });
    expect(await run('restore', at('copy.mdb'), at('again'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/copy\.mdb is damaged/) as string,
    });
    expect(await readdir(path)).toEqual(['copy.mdb', 'tasks']);
  });

  it('finds what one row says and another does not', async () => {
    const [first = '', second = ''] = await createTasks(2);
    const rows = open<Buffer, (string | number)[]>({ path: at('tasks'), noSubdir: false, encoding: 'binary' });
    await rows.put(['r', 'dangling'], Buffer.from('nobody'));
    await rows.put(['d', 5, 'nobody'], Buffer.alloc(1));
    await rows.put(['t', first, 'l', 3, 'x'], Buffer.from('no json'));
    await rows.remove(['t', second, 'h']);
    await rows.close();
    const { code, stderr } = await run('check', at('tasks'));
    expect(code).toBe(1);
    for (const line of [
      /tasks is damaged in \d+ places/,
      /A request key leads to task nobody, which is not there/,
      /Task nobody stands in a list, and is not there/,
      new RegExp(`Task ${first} has a fact 3 that is no JSON`),
      new RegExp(`Task ${second} has rows and no head`),
    ])
      expect(stderr).toMatch(line);
  });

  it('knows names and states: what leads to no task, what a task should have, and what is no fault', async () => {
    const store = lmdbStore({ path: at('tasks') });
    await store.open();
    const [one, two, three] = [sampleTask(), sampleTask(), sampleTask({ state: 'ASKED' })];
    for (const task of [one, two, three]) await store.create(task);
    await store.count([{ owner: 'somebody', by: {}, name: { requestKey: 'f'.repeat(64), at: 5 } }]);
    await store.close();
    expect(await run('check', at('tasks'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/whole: 3 tasks, 0 facts; 1 names lead to no task/) as string,
    });

    const rows = open<Buffer, (string | number)[]>({ path: at('tasks'), noSubdir: false, encoding: 'binary' });
    const keysOf = (kind: string): (string | number)[][] => [...rows.getKeys()].filter(([first]) => first === kind);
    const keyOf = (kind: string, id: string) => keysOf(kind).find((key) => key.at(-1) === id) ?? [];
    await rows.remove(keyOf('a', one.requestKey));
    await rows.remove(keyOf('b', two.requestKey));
    await rows.remove(keyOf('p', three.taskId));
    await rows.put(['p', 'GONE', 'sample', 5, 'nobody'], Buffer.alloc(1));
    await rows.put(['a', 'mark', 'lost'], Buffer.from('7'));
    await rows.put(['b', 'stranger', 9, 'unwritten'], Buffer.alloc(1));
    for (const key of keysOf('u')) await rows.put(key, Buffer.from('no json'));
    await rows.close();
    const { code, stderr } = await run('check', at('tasks'));
    expect(code).toBe(1);
    for (const line of [
      `Task ${one.taskId} has no name`,
      `Task ${two.taskId} was named at `,
      `Task ${three.taskId} does not stand under ["p","ASKED"`,
      'Task nobody stands in a list, and is not there',
      'Request key lost was named at 7, and is in no list',
      'Request key unwritten is named at 9, and has no row that says so',
      'Owner stranger has names and no record',
      'has is no JSON',
    ])
      expect(stderr).toContain(line);
  });

  it.each([
    [['--help'], 0],
    [[], 0],
    [['lmdb', 'backup', '-h'], 0],
    [['lmdb', 'wash', 'x'], 2],
    [['lmdb', 'backup', 'x'], 2],
    [['redis', 'check', 'x'], 2],
    [['lmdb', 'constructor'], 2],
  ])('says how it is used: %j', async (args, code) => {
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      vi.spyOn(process[name], 'write').mockImplementation((text) => ((said[name] += String(text)), true));
    onTestFinished(() => void vi.restoreAllMocks());
    expect(await main(args)).toBe(code);
    expect(code === 0 ? said.stdout : said.stderr).toContain('npx taskbridge lmdb restore <file> <folder>');
  });

  it('says where there is no store', async () => {
    for (const verb of ['check', 'backup', 'restore'])
      expect(await run(verb, at('nowhere'), ...(verb === 'check' ? [] : [at('to')]))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/no LMDB store/) as string,
      });
    expect(await readdir(path)).toEqual([]);
  });

  async function createTasks(tasks: number): Promise<string[]> {
    const store = lmdbStore({ path: at('tasks') });
    await store.open();
    const samples = Array.from({ length: tasks }, () => sampleTask());
    for (const task of samples) await store.create(task);
    await store.close();
    return samples.map(({ taskId }) => taskId);
  }

  function run(verb: string, ...paths: string[]): ReturnType<typeof runArgs> {
    return runArgs(['lmdb', verb, ...paths]);
  }
});

/** Runs the command; its two outputs match as texts do. */
async function runArgs(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk: Buffer) => void (said[name] += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
