import type { ClosedLane, Commit, Epoch, Fence, LaneChanges, LaneFlush, FlushOutcome, Lanes } from '../../server/ports/index.ts';
import type { LaneRow, Memory, TaskRow } from './memory.ts';

/** The lanes of a memory. */
export function lanesOf(needOpen: () => Memory): Lanes {
  return {
    async flush(flushes) {
      const memory = needOpen();
      return flushes.map((flush) => flushTo(memory, flush));
    },

    async seal(fence) {
      const lane = heldLane(needOpen(), fence);
      if (!lane) return 'fenced';
      lane.isSealed = true;
      return lane.length;
    },

    async readPart(taskId, id, from, bytesMax) {
      const lane = needOpen().tasks.get(taskId)?.lanes.get(id);
      if (!lane) return undefined;
      const { buffer, length, fence } = lane;
      return { bytes: buffer.slice(from, Math.min(length, from + bytesMax)), length, epoch: fence.epoch };
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

/**
 * True where a commit's lanes are not as its caller saw them: longer, shorter or not sealed. Throws for what would not succeed a second time either: a
 * lane that is open already, one that is not open, a fence of another task, an epoch that begins elsewhere than it may, an end that leaves one open.
 */
export function laneConflict({ taskId, ended, lanes = {} }: Commit, task: TaskRow): boolean {
  const { open = [], continue: continued = [], close = [] } = lanes;
  for (const fence of [...open, ...continued])
    if (fence.taskId !== taskId) throw new Error(`A commit of task ${taskId} has a fence of task ${fence.taskId}.`);
  const named = [...open, ...continued, ...close].map(({ lane }) => lane);
  if (new Set(named).size < named.length) throw new Error(`A commit of task ${taskId} names a lane twice.`);
  for (const { lane, epoch } of open) {
    if (task.lanes.has(lane)) throw new Error(`Lane ${lane} of task ${taskId} is there already.`);
    if (epoch.from !== 0 || epoch.was !== null)
      throw new Error(`Lane ${lane} of task ${taskId} is new: its epoch begins at 0, after none.`);
  }
  const follows = ({ epoch, lane }: Fence): boolean => {
    const { fence, length } = openLane(task, lane);
    return epoch.from === length && epoch.was === fence.epoch.mark;
  };
  const isWhole = ({ lane, bytes }: ClosedLane): boolean => {
    const { isSealed, length } = openLane(task, lane);
    return isSealed && length === bytes;
  };
  const asSeen = continued.every(follows) && close.every(isWhole);
  if (ended && asSeen && openAfter(task, lanes) > 0) throw new Error(`The log of task ${taskId} cannot end beside open lanes.`);
  return !asSeen;
}

/** Makes the changes of a commit that was found sound. */
export function changeLanes(task: TaskRow, { open = [], continue: continued = [], close = [] }: LaneChanges): void {
  for (const fence of open) task.lanes.set(fence.lane, { fence, isOpen: true, isSealed: false, buffer: new Uint8Array(), length: 0 });
  for (const fence of continued) Object.assign(openLane(task, fence.lane), { fence, isSealed: false });
  for (const { lane, keeps } of close) {
    openLane(task, lane).isOpen = false;
    if (!keeps) task.lanes.delete(lane);
  }
}

function flushTo({ tasks, tails }: Memory, { fence, at, bytes }: LaneFlush): FlushOutcome {
  const lane = heldLane({ tasks }, fence);
  if (!lane || lane.isSealed) return 'fenced';
  const { buffer, length } = lane;
  if (at === length) {
    add(lane, bytes);
    // The caller may use its own again by then.
    if (bytes.byteLength > 0) tails.publishPart(fence.taskId, fence.lane, fence.epoch, at, bytes.slice());
    return 'ok';
  }
  const isOurs = at + bytes.byteLength === length && bytes.every((byte, nth) => buffer[at + nth] === byte);
  return isOurs ? 'ok' : { at: length };
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

/** The lane that is open under this very fence. */
function heldLane({ tasks }: Pick<Memory, 'tasks'>, fence: Fence): LaneRow | undefined {
  const lane = tasks.get(fence.taskId)?.lanes.get(fence.lane);
  return lane?.isOpen && isSame(lane.fence, fence) ? lane : undefined;
}

function isSame(a: Fence, b: Fence): boolean {
  const parts = (epoch: Epoch): readonly unknown[] => [epoch.mark, epoch.was, epoch.from];
  const textOf = (fence: Fence): string => JSON.stringify([fence.taskId, fence.lane, parts(fence.epoch), fence.attempt, fence.node]);
  return textOf(a) === textOf(b);
}

function openLane({ taskId, lanes }: TaskRow, id: Fence['lane']): LaneRow {
  const lane = lanes.get(id);
  if (!lane?.isOpen) throw new Error(`Task ${taskId} has no open lane ${id}.`);
  return lane;
}

function openAfter({ lanes }: TaskRow, { open = [], close = [] }: LaneChanges): number {
  return [...lanes.values()].filter(({ isOpen }) => isOpen).length + open.length - close.length;
}
