import type { EventId } from '../../../machines/index.ts';
import type { Entry } from '../../../server/ports/index.ts';

/**
 * What `append` publishes: the task's new `at` (`<revision>;<mark>;<last id>;<ended>`), a line feed, then the bytes of the fact. Where there are
 * several: `<at>;<id>,<bytes>;<id>,<bytes>…`, a line feed, the facts' bytes one after the other. Facts that are too large to travel twice are
 * only announced: `<at>;<first id>,<bytes>;<last id>,<bytes>;-` and a line feed.
 */
export interface Message {
  readonly ended: boolean;
  /** The facts; undefined where they are only announced. */
  readonly entries: readonly Entry[] | undefined;
  readonly firstId: EventId;
  readonly lastId: EventId;
}

const LINE_FEED = 10;

/** Reads a message; undefined for one that is not ours. */
export function parseMessage(message: Buffer): Message | undefined {
  const end = message.indexOf(LINE_FEED);
  const [, , last = '', endedText, ...parts] = message.toString('latin1', 0, Math.max(0, end)).split(';');
  if (last === '') return undefined;
  // Written by `append` only.
  const lastId = last as EventId;
  const ended = endedText === '1';
  if (parts.length === 0) return { ended, entries: [{ eventId: lastId, bytes: message.subarray(end + 1) }], firstId: lastId, lastId };
  const isNotice = parts.at(-1) === '-';
  if (isNotice) parts.pop();
  let at = end + 1;
  const entries = parts.map((part) => {
    const [id = '', bytes] = part.split(',');
    return { eventId: id as EventId, bytes: message.subarray(at, (at += Number(bytes))) };
  });
  const firstId = entries[0]?.eventId;
  if (firstId === undefined) return undefined;
  if (isNotice) return { ended, entries: undefined, firstId, lastId };
  return at === message.length ? { ended, entries, firstId, lastId } : undefined;
}
