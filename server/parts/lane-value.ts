import { limits } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { LATEST_BYTES_MAX, type LaneFlush, type Lanes, type PartPage } from '../ports/lanes.ts';
import type { OpenPartLane } from './lane-record.ts';

/** A value that is replaced, as its lane has it. */
export interface LaneValue {
  /** As JSON; '' where none was written yet. */
  readonly text: string;
  /** How often it was written. */
  readonly version: number;
}

/** The value of a lane; undefined where there is no such lane (any more). */
export async function laneValue(lanes: Lanes, taskId: string, lane: OpenPartLane['lane']): Promise<LaneValue | undefined> {
  // Half a value is of no use: it comes whole.
  const page = await lanes.readPart(taskId, lane, 0, LATEST_BYTES_MAX);
  return page && { text: valueText(page), version: page.length };
}

/** The text of a page that is a whole value. */
export function valueText({ bytes }: Pick<PartPage, 'bytes'>): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Why a flush is not for a store, which would refuse all that it is given with it; undefined where it is. */
export function flushFault({ fence, at, bytes }: LaneFlush): TaskBridgeError | undefined {
  if (!fence.latest) return tooMuch(at + bytes.byteLength, limits.partBytesMax, 'A part of', 'bytes');
  return (
    tooMuch(bytes.byteLength, LATEST_BYTES_MAX, 'A value of', 'bytes as JSON') ??
    tooMuch(at + 1, limits.partBytesMax, 'A part that was replaced', 'times')
  );
}

function tooMuch(count: number, most: number, what: string, unit: string): TaskBridgeError | undefined {
  if (count <= most) return undefined;
  return new TaskBridgeError('PAYLOAD_TOO_LARGE', `${what} ${count} ${unit} was not written: the most is ${most}.`, {
    details: { bytes: count, bytesMax: most },
  });
}
