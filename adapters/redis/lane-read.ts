import type { EventId } from '../../machines/wire/index.ts';
import type { PartPage } from '../../server/ports/index.ts';
import type { StoreDeps } from './deps.ts';
import { epochOf, laneKeys, latestOf } from './lane-record.ts';
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
  const { read } = deps.connection;
  const last = run.bytesMax > 0 ? String(run.from + run.bytesMax - 1) : '';
  const first = look(deps, run, last, read ? SCRIPT_BYTES_MAX : Number.MAX_SAFE_INTEGER);
  const [before, early] = await Promise.all([
    first,
    // What may be needed then is asked for at once, and not after an answer.
    read && run.bytesMax > SCRIPT_BYTES_MAX ? lookPast(deps, run, last, read) : undefined,
  ]);
  if (!before || !read) return before && pageOf(before);
  if (before.bytes) return pageOf(before);
  const [reply, after] = early ?? (await lookPast(deps, run, last, read));
  if (!after) return undefined;
  const page = pageBetween(run, before, bytesOf(reply), after);
  if (page) return page;
  const seen = await look(deps, run, last, Number.MAX_SAFE_INTEGER);
  return seen && pageOf(seen);
}

/** Reads many bytes, and looks again: both go out in this order, in one write. */
function lookPast(deps: Deps, run: LaneRun, last: string, read: NonNullable<Deps['connection']['read']>) {
  const bytes = read('getrange', deps.keys.lane(run.taskId, run.lane), [String(run.from), last]);
  return Promise.all([bytes, look(deps, run, '', 0)]);
}

/**
 * The page of bytes that were read between two looks. In one epoch a lane only grows: where it is of the same one at the second, and not shorter, the bytes are
 * of that moment too. Undefined where it is not: then the script has to give them after all.
 */
function pageBetween({ from, bytesMax }: LaneRun, before: LaneSeen, bytes: Uint8Array, after: LaneSeen): PartPage | undefined {
  const isSameEpoch = before.record.slice(1) === after.record.slice(1) && after.length >= before.length;
  if (!isSameEpoch || bytes.length < Math.min(before.length - from, bytesMax)) return undefined;
  // What was added since the bytes were read is of a later moment.
  return { bytes, length: bytes.length < bytesMax ? from + bytes.length : after.length, epoch: epochOf(after.record) };
}

function pageOf({ record, length, bytes = new Uint8Array() }: LaneSeen): PartPage {
  return { bytes, length, epoch: epochOf(record), ...latestOf(record) };
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
