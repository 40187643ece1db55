import { describe, expect, it } from 'vitest';
import type { RedisConnection } from '../../adapters/redis/connection.ts';
import { keysUnder } from '../../adapters/redis/keys.ts';
import { readLane } from '../../adapters/redis/lane-read.ts';
import { openRecord } from '../../adapters/redis/lane-record.ts';
import { laneOf } from '../conformance/store/lane-samples.ts';

const taskId = 'ab'.repeat(16);
const fence = { taskId, lane: laneOf(1), epoch: { mark: 'first', was: null, from: 0 }, attempt: 1, node: 'a-node' };
const record = Buffer.from(openRecord(fence));
const later = { mark: 'second', was: 'first', from: 5 };
const laterRecord = Buffer.from(openRecord({ ...fence, epoch: later }));
const LENGTH = 100_000;

/** A connection that gives these replies to the looks at a lane, and these bytes to its command; says which bytes went through a script. */
function connectionOf(looks: readonly unknown[], bytes: Buffer) {
  const left = [...looks];
  const mosts: string[] = [];
  const connection = {
    run: async (_script: unknown, _keys: unknown, args: readonly string[]) => {
      mosts.push(args[3] ?? '');
      return left.shift() ?? null;
    },
    read: async () => bytes,
  } as unknown as RedisConnection;
  return { deps: { connection, keys: keysUnder('p') }, mosts };
}

describe.each([1e6, LENGTH])('a large run of a lane, of %d bytes at most,', (bytesMax) => {
  const run = { taskId, lane: fence.lane, from: 10, bytesMax };
  const whole = Buffer.alloc(LENGTH - 10, 'x');

  it('is read by one command between two looks', async () => {
    const { deps, mosts } = connectionOf(
      [
        [record, LENGTH],
        [record, LENGTH + 7, Buffer.alloc(0)],
      ],
      whole,
    );
    expect(await readLane(deps, run)).toEqual({ bytes: whole, length: LENGTH, epoch: fence.epoch });
    expect(mosts).toHaveLength(2);
  });

  it('is still of its moment where the lane was sealed meanwhile, and is none where it is gone', async () => {
    const sealed = Buffer.from(`s${record.toString().slice(1)}`);
    const { deps } = connectionOf(
      [
        [record, LENGTH],
        [sealed, LENGTH, Buffer.alloc(0)],
      ],
      whole,
    );
    expect((await readLane(deps, run))?.length).toBe(LENGTH);
    expect(await readLane(connectionOf([[record, LENGTH], null], whole).deps, run)).toBeUndefined();
  });

  it.each([
    ['another epoch began', [laterRecord, LENGTH + 9, Buffer.alloc(0)], whole],
    ['it became shorter', [record, 50, Buffer.alloc(0)], whole],
    ['fewer bytes came than there were', [record, LENGTH, Buffer.alloc(0)], whole.subarray(1)],
  ])('is read by a script after all where %s meanwhile', async (_, after, bytes) => {
    const { deps, mosts } = connectionOf([[record, LENGTH], after, [laterRecord, 15, Buffer.from('other')]], bytes);
    expect(await readLane(deps, run)).toEqual({ bytes: Buffer.from('other'), length: 15, epoch: later });
    expect(Number(mosts[2])).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('goes through a script where the client would ask a replica', async () => {
    const { deps, mosts } = connectionOf([[record, LENGTH, whole]], whole);
    const connection = { ...deps.connection, read: undefined };
    expect((await readLane({ ...deps, connection }, run))?.bytes).toBe(whole);
    expect(mosts).toEqual([String(Number.MAX_SAFE_INTEGER)]);
  });
});
