import type { EventId } from '../../../machines/wire/index.ts';
import type { Epoch } from '../../../server/ports/index.ts';
import { epochOf } from '../lane-record.ts';

/**
 * What `flush` publishes: `<lane>;<place>;<record of the lane>`, a line feed, then the bytes; none where they are too many to travel twice, and the place after
 * them.
 */
export interface PartMessage {
  readonly lane: EventId;
  readonly epoch: Epoch;
  readonly at: number;
  readonly bytes: Uint8Array;
}

const LINE_FEED = 10;

/** Reads a message; undefined for one that is not ours. */
export function parsePartMessage(message: Buffer): PartMessage | undefined {
  const end = message.indexOf(LINE_FEED);
  const text = message.toString('utf8', 0, Math.max(0, end));
  const [lane = '', at = ''] = text.split(';', 2);
  const record = text.slice(lane.length + at.length + 2);
  if (lane === '' || at === '' || !/^o[gv]\[/.test(record)) return undefined;
  // Written by `flush` only.
  return { lane: lane as EventId, epoch: epochOf(record), at: Number(at), bytes: message.subarray(end + 1) };
}
