import type { Fence, LaneChanges, LaneFlush, FlushOutcome, Lanes } from '../../server/ports/index.ts';
import type { LanesBefore } from './commit.ts';
import { isSameFence, judgeFlush, refuseLargeValue } from './lane-rules.ts';
import type { LaneRow, Memory, TaskRow } from './memory.ts';

/** The lanes of a memory. */
export function lanesOf(needOpen: () => Memory): Lanes {
  return {
    async flush(flushes) {
      const memory = needOpen();
      flushes.forEach(refuseLargeValue);
      return flushes.map((flush) => flushTo(memory, flush));
    },

    async seal(fence) {
      const lane = openLane(needOpen().tasks.get(fence.taskId), fence.lane);
      if (!lane || !isSameFence(lane.fence, fence)) return 'fenced';
      lane.isSealed = true;
      return lane.length;
    },

    async readPart(taskId, id, from, bytesMax) {
      const lane = needOpen().tasks.get(taskId)?.lanes.get(id);
      if (!lane) return undefined;
      const { buffer, length, fence } = lane;
      const bytes = fence.latest ? buffer.slice(0, from < length ? undefined : 0) : buffer.slice(from, Math.min(length, from + bytesMax));
      return { bytes, length, epoch: fence.epoch, ...(fence.latest && { latest: true }) };
    },

    async newest(taskIds) {
      const { tasks } = needOpen();
      return taskIds.map((taskId) => {
        const task = tasks.get(taskId);
        const open = [...(task?.lanes ?? [])].filter(([, { isOpen }]) => isOpen);
        return {
          eventId: task?.lastEventId ?? null,
          lanes: open.map(([lane, { fence, length }]) => ({ lane, epoch: fence.epoch, length })),
        };
      });
    },
  };
}

/** What a commit finds of the lanes of a task. */
export function lanesBefore({ lanes }: TaskRow): LanesBefore {
  return {
    standing: (lane) => {
      const row = lanes.get(lane);
      return row && (row.isOpen ? 'open' : 'closed');
    },
    openCount: [...lanes.values()].filter(({ isOpen }) => isOpen).length,
  };
}

/** Makes the changes of a commit that was found sound. */
export function changeLanes(task: TaskRow, { open = [], continue: continued = [], close = [] }: LaneChanges): void {
  for (const fence of open) task.lanes.set(fence.lane, { fence, isOpen: true, isSealed: false, buffer: new Uint8Array(), length: 0 });
  for (const fence of continued) Object.assign(needOpenLane(task, fence.lane), { fence, isSealed: false });
  for (const { lane, keeps } of close) {
    needOpenLane(task, lane).isOpen = false;
    if (!keeps) task.lanes.delete(lane);
  }
}

/** A lane that a commit was found to have open. */
export function needOpenLane(task: TaskRow, id: Fence['lane']): LaneRow {
  const lane = openLane(task, id);
  if (!lane) throw new Error(`Task ${task.taskId} has no open lane ${id}.`);
  return lane;
}

function openLane(task: TaskRow | undefined, id: Fence['lane']): LaneRow | undefined {
  const lane = task?.lanes.get(id);
  return lane?.isOpen ? lane : undefined;
}

function flushTo({ tasks, tails }: Memory, flush: LaneFlush): FlushOutcome {
  const { fence, at, bytes } = flush;
  const lane = openLane(tasks.get(fence.taskId), fence.lane);
  const outcome = judgeFlush(lane, flush, (count) => newestOf(lane, count));
  if (outcome !== 'new' || !lane) return outcome === 'new' ? 'fenced' : outcome;
  if (fence.latest) replace(lane, bytes);
  else add(lane, bytes);
  // The caller may use its own again by then.
  tails.publishPart(fence.taskId, fence.lane, fence.epoch, at, bytes.slice(), fence.latest);
  return 'ok';
}

function newestOf(lane: LaneRow | undefined, count: number): Uint8Array {
  if (!lane) return new Uint8Array();
  return lane.fence.latest ? lane.buffer : lane.buffer.subarray(Math.max(0, lane.length - count), lane.length);
}

function replace(lane: LaneRow, bytes: Uint8Array): void {
  lane.buffer = bytes.slice();
  lane.length += 1;
}

/** Makes room for twice as much, so that a long lane is not copied with each flush. */
function add(lane: LaneRow, bytes: Uint8Array): void {
  const { buffer, length } = lane;
  const needed = length + bytes.byteLength;
  if (needed > buffer.byteLength) {
    lane.buffer = new Uint8Array(Math.max(needed, 2 * buffer.byteLength));
    lane.buffer.set(buffer.subarray(0, length));
  }
  lane.buffer.set(bytes, length);
  lane.length = needed;
}
