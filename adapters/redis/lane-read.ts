import type { EventId } from '../../machines/wire/index.ts';
import type { PartPage } from '../../server/ports/index.ts';
import type { StoreDeps } from './deps.ts';
import { epochOf, laneKeys } from './lane-record.ts';
import { bytesOf, integerOf, listOf, textOf } from './reply.ts';
import { readPart } from './scripts/index.ts';

/** What is read of a lane. */
export interface LaneRun {
  readonly taskId: string;
  readonly lane: EventId;
  readonly from: number;
  readonly bytesMax: number;
}

/** More bytes do not go through a script: it copies them several times, 1 MiB in two milliseconds, in which Redis serves nobody. */
const SCRIPT_BYTES_MAX = 16 * 1024;

/** What a script says of a lane. */
interface LaneSeen {
  readonly record: string;
  readonly length: number;
  /** Undefined where they are more than were to go through the script. */
  readonly bytes: Uint8Array | undefined;
}

type Deps = Pick<StoreDeps, 'connection' | 'keys'>;

/** Reads a run of a lane; undefined where there is none. */
export async function readLane(deps: Deps, run: LaneRun): Promise<PartPage | undefined> {
  const { from, bytesMax } = run;
  const last = bytesMax > 0 ? String(from + bytesMax - 1) : '';
  const seen = await look(deps, run, last, deps.connection.read ? SCRIPT_BYTES_MAX : Number.MAX_SAFE_INTEGER);
  if (!seen?.bytes) return seen && readLarge(deps, run, last, seen);
  return { bytes: seen.bytes, length: seen.length, epoch: epochOf(seen.record) };
}

/**
 * Reads many bytes, and looks again. In one epoch a lane only grows: where it is of the same one then, and not shorter, the bytes are of that moment too. Where
 * it is not, the script gives them after all.
 */
async function readLarge(deps: Deps, run: LaneRun, last: string, before: LaneSeen): Promise<PartPage | undefined> {
  const { taskId, lane, from, bytesMax } = run;
  const [reply, after] = await Promise.all([
    deps.connection.read?.('getrange', deps.keys.lane(taskId, lane), [String(from), last]),
    look(deps, run, '', 0),
  ]);
  if (!after) return undefined;
  const bytes = reply === undefined ? new Uint8Array() : bytesOf(reply);
  const isSameEpoch = before.record.slice(1) === after.record.slice(1) && after.length >= before.length;
  if (isSameEpoch && bytes.length >= Math.min(before.length - from, bytesMax)) {
    const end = from + bytes.length;
    // What was added since the bytes were read is of a later moment.
    return { bytes, length: bytes.length < bytesMax ? end : after.length, epoch: epochOf(after.record) };
  }
  const seen = await look(deps, run, last, Number.MAX_SAFE_INTEGER);
  return seen && { bytes: seen.bytes ?? new Uint8Array(), length: seen.length, epoch: epochOf(seen.record) };
}

async function look(
  { connection, keys }: Deps,
  { taskId, lane, from }: LaneRun,
  last: string,
  most: number,
): Promise<LaneSeen | undefined> {
  const reply = await connection.run(readPart, laneKeys(keys, taskId, lane), [lane, String(from), last, String(most)]);
  if (reply === null) return undefined;
  const [record, length, bytes] = listOf(reply);
  return { record: textOf(record), length: integerOf(length) ?? 0, bytes: bytes === undefined ? undefined : bytesOf(bytes) };
}
