import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Head, Rows } from '../../adapters/lmdb/head.ts';
import { readHead } from '../../adapters/lmdb/head.ts';
import { HeadCache, CACHED_HEADS_MAX } from '../../adapters/lmdb/head-cache.ts';
import { headKey } from '../../adapters/lmdb/keys.ts';

let path = '';
let rows: Rows;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'taskbridge-heads-'));
  rows = open({ path, noSubdir: false, encoding: 'binary', overlappingSync: false, eventTurnBatching: false });
});

afterEach(async () => {
  await rows.close();
  await rm(path, { recursive: true });
});

function headOf(revision: number, ended = false): Head {
  const standing = { plan: { wakeAt: null, work: { heldBy: 'node' } }, kind: { taskType: 'work', ownerMark: 'mark' }, turn: null };
  return { requestKey: 'key', revision, standing, state: { name: 'running', since: 1 }, firstRetained: 1, lastEventId: null, ended };
}

test('reads a head once, and gives the one that was written last, with the entries of its task', async () => {
  const heads = new HeadCache(rows);
  await rows.childTransaction(() => heads.write('task', headOf(1), [['n', 'node', 'task']]));
  expect(heads.read('task')).toEqual({ head: headOf(1), entries: [['n', 'node', 'task']] });
  expect(heads.read('task')).toBe(heads.read('task'));
  const others = new HeadCache(rows);
  expect(others.read('task')).toEqual(heads.read('task'));
  expect(others.read('none')).toBeUndefined();
  expect(readHead(rows, 'task')).toEqual(headOf(1));
});

test('forgets what a transaction that was undone has left', async () => {
  const heads = new HeadCache(rows);
  await rows.childTransaction(() => heads.write('task', headOf(1), []));
  const undone = rows.childTransaction(() => {
    heads.write('task', headOf(2), []);
    heads.write('new', headOf(1), []);
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  heads.forget();
  expect(heads.read('task')?.head).toEqual(headOf(1));
  expect(heads.read('new')).toBeUndefined();
});

test('keeps neither a task that has ended nor one that was removed', async () => {
  const heads = new HeadCache(rows);
  await rows.childTransaction(() => {
    for (const taskId of ['ended', 'removed']) heads.write(taskId, headOf(1), []);
    heads.write('ended', headOf(2, true), []);
    heads.remove('removed');
    // What it finds from here on is in the store.
    for (const taskId of ['ended', 'removed']) rows.removeSync(headKey(taskId));
  });
  expect(['ended', 'removed'].map((taskId) => heads.read(taskId))).toEqual([undefined, undefined]);
});

test(`keeps ${CACHED_HEADS_MAX} heads, and drops the one that it has had longest for one more`, async () => {
  const heads = new HeadCache(rows);
  await rows.childTransaction(() => {
    for (let nth = 0; nth <= CACHED_HEADS_MAX; nth += 1) heads.write(`task-${nth}`, headOf(1), []);
    for (let nth = 0; nth <= CACHED_HEADS_MAX; nth += 1) rows.removeSync(headKey(`task-${nth}`));
  });
  expect(heads.read('task-0')).toBeUndefined();
  expect(heads.read('task-1')?.head).toEqual(headOf(1));
  expect(heads.read(`task-${CACHED_HEADS_MAX}`)?.head).toEqual(headOf(1));
});
