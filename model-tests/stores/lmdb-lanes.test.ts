import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportRows } from '../../adapters/lmdb/check.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import type { EventId } from '../../machines/wire/index.ts';
import type { Fence, Lanes, Store } from '../../server/ports/index.ts';
import { asBytes, firstEpoch, laneOf } from '../conformance/store/lane-samples.ts';
import { commitOf, factOf, sampleTask } from '../conformance/store/samples.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChild } from './children/child.ts';
import { bytesFrom, CLOSED_AT } from './children/lane-text.ts';

type Row = (string | number)[];

describe('lanes on disk', () => {
  let path: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('lanes'));
  });
  afterEach(() => remove());

  it('have all bytes that were acknowledged, each in its place, each time their writer is killed, and go on', async () => {
    const taskIds = Array.from({ length: 4 }, () => sampleTask().taskId);
    const store = lmdbStore({ path });
    await store.open();
    for (const taskId of taskIds) await store.create({ ...sampleTask(), taskId });
    await store.close();

    for (const linesUntilKill of [1, 25, 90, 10, 150]) {
      const child = startChild('lane-writer', path, ...taskIds);
      const lines: string[] = [];
      while (lines.length < linesUntilKill) lines.push(await child.nextLine());
      lines.push(...(await child.killHard()));
      expect(await reportRows(path)).toEqual([expect.stringMatching(/ is whole: 4 tasks, \d+ facts, \d+ parts\.$/)]);

      const again = lmdbStore({ path });
      await again.open();
      for (const [key, acknowledged] of newestOf(lines)) {
        const [taskId = '', lane = ''] = key.split(' ');
        // A lane that was dropped is told of by a fact, and was whole.
        const page = await lanesOf(again).readPart(taskId, lane as EventId, 0, 1e6);
        if (!page) expect(acknowledged).toBeGreaterThanOrEqual(CLOSED_AT);
        else {
          expect(page.length).toBeGreaterThanOrEqual(acknowledged);
          expect(Buffer.from(page.bytes).equals(bytesFrom(0, page.length))).toBe(true);
        }
      }
      for (const { lanes } of await lanesOf(again).newest(taskIds)) expect(lanes.length).toBeLessThanOrEqual(1);
      await again.close();
    }
  });

  it('join small flushes to few rows, and take large ones as they are', async () => {
    const { store, fence } = await withLane();
    const at = 20_000;
    // A call for 200 of them: each call is a flush of the disk.
    for (let from = 0; from < at; from += 5000) {
      const flushes = Array.from({ length: 200 }, (_, i) => ({ fence, at: from + 25 * i, bytes: bytesFrom(from + 25 * i, 25) }));
      expect(new Set(await lanesOf(store).flush(flushes))).toEqual(new Set(['ok']));
    }
    const large = bytesFrom(at, 200_000);
    await lanesOf(store).flush([{ fence, at, bytes: large }]);
    const rows = await laneRows();
    expect(rows.filter(({ length }) => length > 0 && length <= 1800)).toHaveLength(Math.ceil(20_000 / 1800));
    expect(Math.max(...rows.map(({ length }) => length))).toBe(64 * 1024);
    const page = await lanesOf(store).readPart(fence.taskId, fence.lane, 1790, 70_000);
    expect(Buffer.from(page?.bytes ?? []).equals(bytesFrom(1790, 70_000))).toBe(true);
    await store.close();
  });

  it('have one row of a value, however often it is replaced', async () => {
    const { store, task } = await withLane();
    const value: Fence = { taskId: task.taskId, lane: laneOf(2), epoch: firstEpoch(), attempt: 1, node: 'a-node', latest: true };
    await store.append(commitOf(task.taskId, 2, { lanes: { open: [value] } }));
    const flushes = Array.from({ length: 30 }, (_, at) => ({ fence: value, at, bytes: asBytes(String(at)) }));
    expect(new Set(await lanesOf(store).flush(flushes))).toEqual(new Set(['ok']));
    expect((await laneRows()).map(({ key }) => key.slice(2))).toEqual([
      ['o', laneOf(1)],
      ['o', laneOf(2)],
      ['p', laneOf(2), 29],
    ]);
    await store.close();
    expect(await reportRows(path)).toEqual([expect.stringMatching(/whole: 1 tasks, 0 facts, 2 parts\.$/)]);
  });

  it('are gone, row by row, with their task, and with a lane that is dropped', async () => {
    const { store, task, fence } = await withLane();
    const [kept, dropped] = [fence, { ...fence, lane: laneOf(2) }];
    await store.append(commitOf(task.taskId, 2, { lanes: { open: [dropped] } }));
    for (const each of [kept, dropped]) {
      for (const at of [0, 5000, 10_000]) await lanesOf(store).flush([{ fence: each, at, bytes: bytesFrom(at, 5000) }]);
      await lanesOf(store).seal(each);
    }
    const close = [kept, dropped].map(({ lane }) => ({ lane, bytes: 15_000, keeps: lane === kept.lane }));
    expect(await store.append(commitOf(task.taskId, 3, { lanes: { close } }))).toBe('committed');
    expect((await laneRows()).map(({ key }) => key.slice(2))).toEqual([
      ['c', kept.lane],
      ['p', kept.lane, 0],
      ['p', kept.lane, 5000],
      ['p', kept.lane, 10_000],
    ]);
    expect(await store.remove(task.taskId, task.requestKey, 4)).toBe('removed');
    expect(await laneRows()).toEqual([]);
    await store.close();
    expect(await reportRows(path)).toEqual([expect.stringMatching(/whole: 0 tasks, 0 facts\.$/)]);
  });

  it('count for mapBytesMax: a flush beyond it throws with ENOSPC, writes nothing, and leaves those beside it alone', async () => {
    const { store, task, fence } = await withLane(1024 ** 2);
    const other = { ...fence, lane: laneOf(2) };
    await store.append(commitOf(task.taskId, 2, { lanes: { open: [other] } }));
    const large = new Uint8Array(1024 ** 2);
    await expect(
      lanesOf(store).flush([
        { fence, at: 0, bytes: large },
        { fence: other, at: 0, bytes: asBytes('small') },
      ]),
    ).rejects.toMatchObject({ code: 'ENOSPC', message: expect.stringContaining('mapBytesMax (1048576)') as string });
    const lengthsOf = async () => (await lanesOf(store).newest([task.taskId]))[0]?.lanes.map(({ length }) => length);
    expect(await lengthsOf()).toEqual([0, 5]);
    // To seal and to drop makes room, and needs none.
    expect([await lanesOf(store).seal(fence), await lanesOf(store).seal(other)]).toEqual([0, 5]);
    await store.close();
  });

  it('are told to nobody before they can be read: what is on the disk', async () => {
    const { store, fence } = await withLane();
    const length = async () => (await lanesOf(store).readPart(fence.taskId, fence.lane, 0, 9))?.length;
    const told = new Promise((resolve) => {
      const tail = store.tail({ committed: () => undefined, interrupted: () => undefined, part: () => resolve(length()) });
      void tail.watchParts?.(fence.taskId);
    });
    const flushed = lanesOf(store).flush([{ fence, at: 0, bytes: asBytes('x') }]);
    expect([await length(), await told, await flushed]).toEqual([0, 1, ['ok']]);
    await store.close();
  });

  it('are checked: bytes with a gap, of no lane, of a lane that is open and closed, open beside an end', async () => {
    const { store, task, fence } = await withLane();
    const { taskId } = task;
    for (const at of [0, 5000]) await lanesOf(store).flush([{ fence, at, bytes: bytesFrom(at, 5000) }]);
    const ended = sampleTask();
    await store.create(ended);
    await store.append(commitOf(ended.taskId, 1, { facts: [factOf(ended.taskId, 1)], ended: true }));
    await store.close();
    expect(await reportRows(path)).toEqual([expect.stringMatching(/whole: 2 tasks, 1 facts, 1 parts\.$/)]);

    const rows = open<Buffer, Row>({ path, noSubdir: false, encoding: 'binary' });
    const row = rows.get(['t', taskId, 'o', fence.lane]) ?? Buffer.alloc(0);
    await rows.put(['t', taskId, 'p', fence.lane, 10_001], Buffer.from('x'));
    await rows.put(['t', taskId, 'p', 'nowhere', 0], Buffer.from('x'));
    await rows.put(['t', taskId, 'c', fence.lane], row);
    await rows.put(['t', taskId, 'o', '9-9'], Buffer.from('no json'));
    await rows.put(['t', ended.taskId, 'o', '1-1'], row);
    await rows.close();
    const faults = await reportRows(path).catch((error: unknown) => String(error));
    for (const line of [
      `Task ${taskId} has bytes of lane ${fence.lane} at 10001 after 10000`,
      `Task ${taskId} has bytes of lane nowhere, which is not there`,
      `Task ${taskId} has lane ${fence.lane}, which is open and closed`,
      `Task ${taskId} has lane 9-9, which is no JSON`,
      `Task ${ended.taskId} has lane 1-1 open, and its log has ended`,
    ])
      expect(faults).toContain(line);
  });

  async function withLane(mapBytesMax?: number) {
    const store = lmdbStore({ path, ...(mapBytesMax !== undefined && { mapBytesMax }) });
    await store.open();
    const task = sampleTask();
    await store.create(task);
    const fence: Fence = { taskId: task.taskId, lane: laneOf(1), epoch: firstEpoch(), attempt: 1, node: 'a-node' };
    expect(await store.append(commitOf(task.taskId, 1, { lanes: { open: [fence] } }))).toBe('committed');
    return { store, task, fence };
  }

  async function laneRows(): Promise<{ readonly key: Row; readonly length: number }[]> {
    const rows = open<Buffer, Row>({ path, noSubdir: false, encoding: 'binary' });
    const found = [...rows.getRange()].filter(({ key }) => key[0] === 't' && ['c', 'o', 'p'].includes(String(key[2])));
    await rows.close();
    return found.map(({ key, value }) => ({ key, length: key[2] === 'p' ? value.length : 0 }));
  }
});

function lanesOf({ lanes }: Store): Lanes {
  if (!lanes) throw new Error('The store keeps no lanes.');
  return lanes;
}

/** The newest length that was acknowledged of each lane. */
function newestOf(lines: readonly string[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const line of lines) {
    const [taskId, lane, length] = line.split(' ');
    newest.set(`${taskId} ${lane}`, Number(length));
  }
  return newest;
}
