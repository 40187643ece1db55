import type { EventId } from '../../../machines/wire/index.ts';
import type { Epoch } from '../../../server/ports/index.ts';
import { epochOf, latestOf } from '../lane-record.ts';

/**
 * What `flush` publishes: `<lane>;<place>;<record of the lane>`, a line feed, then the bytes; none where they are too many to travel twice, and the place after
 * them.
 */
export interface PartMessage {
  readonly lane: EventId;
  readonly epoch: Epoch;
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly latest?: true;
}

const LINE_FEED = 10;

/** Reads a message; undefined for one that is not ours. */
export function parsePartMessage(message: Buffer): PartMessage | undefined {
  const end = message.indexOf(LINE_FEED);
  // What is read of it is ASCII, however its node is called.
  const text = message.toString('latin1', 0, Math.max(0, end));
  const laneEnd = text.indexOf(';');
  const atEnd = text.indexOf(';', laneEnd + 1);
  const record = text.slice(atEnd + 1);
  if (laneEnd < 1 || atEnd < laneEnd + 2 || !/^o[gv]\[/.test(record)) return undefined;
  // Written by `flush` only.
  const lane = text.slice(0, laneEnd) as EventId;
  const at = Number(text.slice(laneEnd + 1, atEnd));
  return { lane, epoch: epochOf(record), at, bytes: message.subarray(end + 1), ...latestOf(record) };
}
