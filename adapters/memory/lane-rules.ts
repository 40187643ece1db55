import {
  LATEST_BYTES_MAX,
  type ClosedLane,
  type Fence,
  type FlushOutcome,
  type LaneChanges,
  type LaneFlush,
} from '../../server/ports/index.ts';

/** An open lane as a store has it. */
export interface OpenLane {
  readonly fence: Fence;
  readonly isSealed: boolean;
  /** In bytes, of one whose value is replaced in versions. */
  readonly length: number;
}

/** True where lanes are not as the caller of a commit saw them: longer, shorter, of another epoch or not sealed. */
export function laneConflict({ continue: continued = [], close = [] }: LaneChanges, laneOf: (lane: Fence['lane']) => OpenLane): boolean {
  const follows = ({ epoch, lane, latest }: Fence): boolean => {
    const { fence, length } = laneOf(lane);
    return epoch.from === length && epoch.was === fence.epoch.mark && latest === fence.latest;
  };
  const isWhole = ({ lane, bytes }: ClosedLane): boolean => {
    const { isSealed, length } = laneOf(lane);
    return isSealed && length === bytes;
  };
  return !(continued.every(follows) && close.every(isWhole));
}

/**
 * Says what is to become of a flush, to be written where it is `'new'`.
 *
 * @param newest gives so many of the newest bytes of the lane, or the value that is replaced.
 */
export function judgeFlush(
  lane: OpenLane | undefined,
  { fence, at, bytes }: LaneFlush,
  newest: (bytes: number) => Uint8Array,
): FlushOutcome | 'new' {
  if (!lane || !isSameFence(lane.fence, fence) || lane.isSealed) return 'fenced';
  const { length } = lane;
  if (at === length) return bytes.byteLength === 0 ? 'ok' : 'new';
  const added = fence.latest ? 1 : bytes.byteLength;
  const isOurs = bytes.byteLength > 0 && at + added === length && Buffer.compare(newest(bytes.byteLength), bytes) === 0;
  return isOurs ? 'ok' : { at: length };
}

/** Throws a `RangeError` for a value that is larger than one may be. */
export function refuseLargeValue({ fence, bytes }: LaneFlush): void {
  if (fence.latest && bytes.byteLength > LATEST_BYTES_MAX)
    throw new RangeError(
      `The value of lane ${fence.lane} of task ${fence.taskId} has ${bytes.byteLength} bytes; one that is replaced may have ${LATEST_BYTES_MAX}.`,
    );
}

/** True for fences that are the same as a whole. */
export function isSameFence(a: Fence, b: Fence): boolean {
  const [one, other] = [a.epoch, b.epoch];
  return (
    a.taskId === b.taskId &&
    a.lane === b.lane &&
    a.attempt === b.attempt &&
    a.node === b.node &&
    a.latest === b.latest &&
    one.mark === other.mark &&
    one.was === other.was &&
    one.from === other.from
  );
}
