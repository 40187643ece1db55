import type { EventId } from '../../../machines/index.ts';
import type { Entry } from '../../../server/ports/index.ts';

/**
 * What `append` publishes: `<ended>;<id>,<bytes>;<id>,<bytes>…`, a line feed, then the facts' bytes one after the other. Facts that are too
 * large to travel twice are only announced: `<ended>;<first id>,<bytes>;<last id>,<bytes>;-` and a line feed.
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
  const [endedText, ...parts] = message.toString('latin1', 0, Math.max(0, end)).split(';');
  const isNotice = parts.at(-1) === '-';
  if (isNotice) parts.pop();
  const facts = parts.map((part) => {
    const [id = '', bytes] = part.split(',');
    // Written by `append` only.
    return { eventId: id as EventId, size: Number(bytes) };
  });
  const [first, last] = [facts[0], facts.at(-1)];
  if (end < 0 || !first || !last) return undefined;
  const head = { ended: endedText === '1', firstId: first.eventId, lastId: last.eventId };
  if (isNotice) return { ...head, entries: undefined };
  let at = end + 1;
  const entries = facts.map(({ eventId, size }) => ({ eventId, bytes: message.subarray(at, (at += size)) }));
  return at === message.length ? { ...head, entries } : undefined;
}
