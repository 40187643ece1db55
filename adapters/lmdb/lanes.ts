import type { LaneFlush, Lanes } from '../../server/ports/index.ts';
import { isSameFence, judgeFlush, refuseLargeValue, type LocalTails } from '../memory/index.ts';
import { readHead, type Rows } from './head.ts';
import { addToLane, newestBytes, readLane, readOpenLane, readOpenLanes, sealLane } from './lane-rows.ts';
import { bytesOfFlush, withinQuota, type Quota } from './quota.ts';
import type { Write, Writer } from './writer.ts';

/** What lanes work with. */
export interface LanesDeps {
  readonly rows: Rows;
  readonly writer: Writer;
  readonly quota: Quota;
}

/** The lanes of a store. A flush is answered when it is on the disk, and told to nobody before. */
export function lanesOf(needOpen: () => LanesDeps, tails: LocalTails): Lanes {
  async function flush({ rows, writer, quota }: LanesDeps, given: LaneFlush) {
    const { fence, at } = given;
    // The caller's buffer may be of use to him again where others of its list are refused.
    const bytes = given.bytes.slice();
    const outcome = await writer.write(withinQuota(quota, bytesOfFlush(given), flushTo(rows, { fence, at, bytes })));
    if (outcome !== 'new') return outcome;
    tails.publishPart(fence.taskId, fence.lane, fence.epoch, at, bytes, fence.latest);
    return 'ok';
  }

  return {
    async flush(flushes) {
      const deps = needOpen();
      flushes.forEach(refuseLargeValue);
      return Promise.all(flushes.map((each) => flush(deps, each)));
    },

    async seal(fence) {
      const { rows, writer } = needOpen();
      return writer.write<number | 'fenced'>(() => {
        const lane = readOpenLane(rows, fence.taskId, fence.lane);
        if (!lane || !isSameFence(lane.fence, fence)) return { result: 'fenced' };
        if (lane.isSealed) return { result: lane.length };
        return { result: lane.length, change: () => sealLane(rows, fence) };
      });
    },

    async readPart(taskId, lane, from, bytesMax) {
      return readLane(needOpen().rows, taskId, lane, from, bytesMax);
    },

    async newest(taskIds) {
      const { rows } = needOpen();
      return taskIds.map((taskId) => ({
        eventId: readHead(rows, taskId)?.lastEventId ?? null,
        lanes: readOpenLanes(rows, taskId).map(({ fence: { lane, epoch }, length }) => ({ lane, epoch, length })),
      }));
    },
  };
}

function flushTo(rows: Rows, flush: LaneFlush): Write<ReturnType<typeof judgeFlush>> {
  const { fence, at, bytes } = flush;
  return () => {
    const result = judgeFlush(readOpenLane(rows, fence.taskId, fence.lane), flush, (count) => newestBytes(rows, fence, count));
    return result === 'new' ? { result, change: () => addToLane(rows, fence, at, bytes) } : { result };
  };
}
