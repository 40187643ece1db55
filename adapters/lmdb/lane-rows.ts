import { parseEventId, type EventId } from '../../machines/wire/index.ts';
import type { Epoch, Fence, LaneChanges, PartPage } from '../../server/ports/index.ts';
import type { LanesBefore, OpenLane } from '../memory/index.ts';
import type { Rows } from './head.ts';
import { after, closedLaneKey, laneBytesKey, openLaneKey, startsWith } from './keys.ts';

// Reads see what a transaction has written so far, or within one turn of the event loop the same commit. Writes: inside a transaction only.

/**
 * Flushes of a few bytes are joined to a row of this size: they are read in fewer steps, and a page of LMDB, which is written as a whole for each flush all
 * the same, holds two of them.
 */
const JOINED_BYTES_MAX = 1800;
/** A row has no more than that: a page is read without all that lies beside it. */
const ROW_BYTES_MAX = 64 * 1024;

/** What the row of an open lane says. */
interface OpenRow extends Pick<Fence, 'epoch' | 'attempt' | 'node' | 'latest'> {
  readonly isSealed: boolean;
}

/** What the row of a closed lane says. */
type ClosedRow = Pick<Fence, 'epoch' | 'latest'>;

/** The newest bytes of a lane. */
interface NewestRow {
  readonly at: number;
  readonly bytes: Buffer;
}

/** Reads an open lane. */
export function readOpenLane(rows: Rows, taskId: string, lane: EventId): OpenLane | undefined {
  const row = rows.get(openLaneKey(taskId, lane));
  return row && openLaneOf(rows, taskId, lane, row);
}

/** A lane that a commit was found to have open. */
export function needOpenLane(rows: Rows, taskId: string, id: EventId): OpenLane {
  const lane = readOpenLane(rows, taskId, id);
  if (!lane) throw new Error(`Task ${taskId} has no open lane ${id}.`);
  return lane;
}

/** The open lanes of a task, in the order in which they were opened: that of the facts that did. */
export function readOpenLanes(rows: Rows, taskId: string): OpenLane[] {
  const lanes: OpenLane[] = [];
  for (const { key, value } of rows.getRange({ start: openLaneKey(taskId) })) {
    if (!startsWith(key, openLaneKey(taskId))) break;
    lanes.push(openLaneOf(rows, taskId, key[3] as EventId, value));
  }
  const numberOf = ({ fence }: OpenLane): number => parseEventId(fence.lane)?.n ?? 0;
  return lanes.sort((a, b) => numberOf(a) - numberOf(b));
}

/** What is asked of a commit that neither changes lanes nor ends its log: nothing. */
export const lanesUntouched: LanesBefore = { standing: () => undefined, openCount: 0 };

/** What a commit finds of the lanes of a task; looked for only where it is asked. */
export function lanesBefore(rows: Rows, taskId: string): LanesBefore {
  return {
    standing(lane) {
      if (rows.doesExist(openLaneKey(taskId, lane))) return 'open';
      return rows.doesExist(closedLaneKey(taskId, lane)) ? 'closed' : undefined;
    },
    get openCount() {
      return readOpenLanes(rows, taskId).length;
    },
  };
}

/** Makes the changes of a commit that was found sound. */
export function changeLanes(rows: Rows, taskId: string, { open = [], continue: continued = [], close = [] }: LaneChanges): void {
  for (const fence of [...open, ...continued]) putOpen(rows, fence, false);
  for (const { lane, keeps } of close) {
    const row = rows.get(openLaneKey(taskId, lane));
    rows.removeSync(openLaneKey(taskId, lane));
    if (keeps && row) rows.putSync(closedLaneKey(taskId, lane), jsonOf(closedRowOf(row)));
    else for (const key of keysOfBytes(rows, taskId, lane)) rows.removeSync(key);
  }
}

/** Ends the writing to a lane. */
export function sealLane(rows: Rows, fence: Fence): void {
  putOpen(rows, fence, true);
}

/** So many of the newest bytes of a lane, or the value that is replaced. */
export function newestBytes(rows: Rows, { taskId, lane, latest }: Fence, count: number): Uint8Array {
  const newest = newestRow(rows, taskId, lane);
  if (!newest || latest) return newest?.bytes ?? new Uint8Array();
  const end = newest.at + newest.bytes.length;
  return readBytes(rows, taskId, lane, Math.max(0, end - count), end);
}

/** Adds bytes at the end of a lane, or replaces its value. */
export function addToLane(rows: Rows, { taskId, lane, latest }: Fence, at: number, bytes: Uint8Array): void {
  const newest = newestRow(rows, taskId, lane);
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (latest) {
    if (newest) rows.removeSync(laneBytesKey(taskId, lane, newest.at));
    rows.putSync(laneBytesKey(taskId, lane, at), given);
  } else if (newest && newest.bytes.length + given.length <= JOINED_BYTES_MAX) {
    rows.putSync(laneBytesKey(taskId, lane, newest.at), Buffer.concat([newest.bytes, given]));
  } else {
    for (let from = 0; from < given.length; from += ROW_BYTES_MAX)
      rows.putSync(laneBytesKey(taskId, lane, at + from), given.subarray(from, from + ROW_BYTES_MAX));
  }
}

/** Reads a run of a lane, open or closed; undefined where there is none. */
export function readLane(rows: Rows, taskId: string, lane: EventId, from: number, bytesMax: number): PartPage | undefined {
  const row = rows.get(openLaneKey(taskId, lane)) ?? rows.get(closedLaneKey(taskId, lane));
  if (!row) return undefined;
  const { epoch, latest } = closedRowOf(row);
  const length = lengthOf(rows, taskId, lane, latest);
  if (!latest) return { bytes: readBytes(rows, taskId, lane, from, Math.min(length, from + bytesMax)), length, epoch };
  const value = from < length ? newestRow(rows, taskId, lane)?.bytes : undefined;
  return { bytes: value ?? new Uint8Array(), length, epoch, latest };
}

/** The row in which a place of a lane is, and those after it. */
function readBytes(rows: Rows, taskId: string, lane: EventId, from: number, end: number): Uint8Array {
  if (from >= end) return new Uint8Array();
  const all = laneBytesKey(taskId, lane);
  let start = from;
  for (const key of rows.getKeys({ start: laneBytesKey(taskId, lane, from), end: all, reverse: true, limit: 1 })) start = Number(key[4]);
  const read = Buffer.allocUnsafe(end - from);
  for (const { key, value } of rows.getRange({ start: laneBytesKey(taskId, lane, start), end: laneBytesKey(taskId, lane, end) })) {
    const at = Number(key[4]);
    value.copy(read, Math.max(0, at - from), Math.max(0, from - at), end - at);
  }
  return read;
}

function newestRow(rows: Rows, taskId: string, lane: EventId): NewestRow | undefined {
  const all = laneBytesKey(taskId, lane);
  for (const { key, value } of rows.getRange({ start: after(all), end: all, reverse: true, limit: 1 }))
    return { at: Number(key[4]), bytes: value };
  return undefined;
}

function lengthOf(rows: Rows, taskId: string, lane: EventId, latest: true | undefined): number {
  const newest = newestRow(rows, taskId, lane);
  if (!newest) return 0;
  return newest.at + (latest ? 1 : newest.bytes.length);
}

function keysOfBytes(rows: Rows, taskId: string, lane: EventId) {
  const all = laneBytesKey(taskId, lane);
  // Whole before any is removed.
  return [...rows.getKeys({ start: all, end: after(all) })];
}

function openLaneOf(rows: Rows, taskId: string, lane: EventId, row: Buffer): OpenLane {
  // Written by `putOpen` only.
  const { isSealed, ...fence } = JSON.parse(row.toString()) as OpenRow;
  return { fence: { taskId, lane, ...fence }, isSealed, length: lengthOf(rows, taskId, lane, fence.latest) };
}

function putOpen(rows: Rows, { taskId, lane, epoch, attempt, node, latest }: Fence, isSealed: boolean): void {
  const row: OpenRow = { epoch: plainEpoch(epoch), attempt, node, ...(latest && { latest }), isSealed };
  rows.putSync(openLaneKey(taskId, lane), jsonOf(row));
}

function closedRowOf(row: Buffer): ClosedRow {
  // An open lane's row says it too.
  const { epoch, latest } = JSON.parse(row.toString()) as ClosedRow;
  return { epoch, ...(latest && { latest }) };
}

function plainEpoch({ mark, was, from }: Epoch): Epoch {
  return { mark, was, from };
}

function jsonOf(row: OpenRow | ClosedRow): Buffer {
  return Buffer.from(JSON.stringify(row));
}
