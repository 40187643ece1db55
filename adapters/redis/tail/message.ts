import type { EventId } from '../../../machines/wire/index.ts';
import type { Entry } from '../../../server/ports/index.ts';

/**
 * What `append` publishes: what the task's `at` was and is (`<revision>;<mark>;<last id>;<ended>`, twice), a line feed, then the bytes of the
 * fact. Where there are several: `<was>;<is>;<id>,<bytes>;<id>,<bytes>…`, a line feed, the facts' bytes one after the other. Facts that are too
 * large to travel twice are only announced: `<was>;<is>;<first id>,<bytes>;<last id>,<bytes>;-` and a line feed.
 */
export interface TailMessage {
  readonly ended: boolean;
  /** The facts; undefined where they are only announced. */
  readonly entries: readonly Entry[] | undefined;
  /** The newest fact before; null where there was none. */
  readonly before: EventId | null;
  readonly firstId: EventId;
  readonly lastId: EventId;
}

const LINE_FEED = 10;

/** Reads a message; undefined for one that is not ours. */
export function parseMessage(message: Buffer): TailMessage | undefined {
  const end = message.indexOf(LINE_FEED);
  const [, , beforeText, , , , last, endedText, ...parts] = message.toString('latin1', 0, Math.max(0, end)).split(';');
  if (!last) return undefined;
  // Written by `append` only.
  const lastId = last as EventId;
  const told = { ended: endedText === '1', before: beforeText ? (beforeText as EventId) : null, lastId };
  if (parts.length === 0) return { ...told, entries: [{ eventId: lastId, bytes: message.subarray(end + 1) }], firstId: lastId };
  const isNotice = parts.at(-1) === '-';
  if (isNotice) parts.pop();
  let at = end + 1;
  const entries = parts.map((part) => {
    const [id = '', bytes] = part.split(',');
    return { eventId: id as EventId, bytes: message.subarray(at, (at += Number(bytes))) };
  });
  const firstId = entries[0]?.eventId;
  if (firstId === undefined) return undefined;
  if (isNotice) return { ...told, entries: undefined, firstId };
  return at === message.length ? { ...told, entries, firstId } : undefined;
}
