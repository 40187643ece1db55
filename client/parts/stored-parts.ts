import { parseEventId } from '../../machines/wire/index.ts';
import { isObject } from '../commands/answer.ts';
import type { PartLimits } from './options.ts';
import type { TaskPartRecord } from './part-record.ts';
import { beginningOf, utf8Length, type PartKind, type PartView } from './part-text.ts';

/** The version of the stored form. */
const VERSION = 1;
/** Parts of a checkpoint, the newest. */
const PARTS_MAX = 16;

interface StoredPart {
  readonly part: number;
  readonly lane: string;
  readonly name?: string | undefined;
  readonly kind?: PartKind | undefined;
  readonly epoch?: string | undefined;
  /** As far as `text` goes. */
  readonly bytes: number;
  readonly text: string;
  /** Of a closed part: how, and how long it is. */
  readonly outcome?: PartView['outcome'];
  readonly length?: number;
}

/**
 * What a checkpoint keeps of parts, the newest first: where a server is to go on, and the text up to there. Of a text that has no room its beginning is kept, and
 * the offset is that of its end, so that no text is shown with a hole. What a later fact has closed comes again with that fact, if it does.
 */
export function storeParts(record: TaskPartRecord, eventId: string, { storedBytesMax }: Pick<PartLimits, 'storedBytesMax'>): unknown {
  const upTo = parseEventId(eventId)?.n ?? Infinity;
  let room = storedBytesMax;
  const newest = [...record.parts].reverse().filter(({ lane }) => lane !== undefined);
  const parts = newest.slice(0, PARTS_MAX).map((part): StoredPart => {
    const { lane = '', name, kind, epoch, outcome, view } = part;
    // No text has fewer bytes than characters: of a long one no more is looked at than can be kept, since this happens while it grows.
    const head = part.text.slice(0, room + 1);
    // A value that is replaced has no beginning.
    const text = utf8Length(head) <= room ? part.text : kind === 'latest' ? '' : beginningOf(head, room);
    const kept = utf8Length(text);
    room -= kept;
    const bytes = kind === 'latest' ? (text === '' ? 0 : part.bytes) : kept;
    return {
      part: part.part,
      lane,
      name,
      kind,
      epoch,
      bytes,
      text,
      ...(outcome && part.length !== undefined && part.closedBy <= upTo && { outcome, length: view.bytes }),
    };
  });
  return parts.length === 0 ? undefined : { v: VERSION, parts: parts.reverse() };
}

/** Takes up what was stored; what a newer version wrote, and what cannot be read, is as if there were nothing. */
export function restoreParts(record: TaskPartRecord, stored: unknown): void {
  if (!isObject(stored) || stored['v'] !== VERSION || !Array.isArray(stored['parts'])) return;
  for (const each of stored['parts'] as readonly unknown[]) {
    if (!isStoredPart(each)) continue;
    const { outcome, length, text, bytes, epoch } = each;
    const part = record.restore(each);
    part.restore(text, bytes, epoch);
    if (outcome) part.close(outcome, length ?? bytes);
  }
}

function isStoredPart(value: unknown): value is StoredPart {
  if (!isObject(value)) return false;
  const { part, lane, kind, bytes, text } = value;
  if (typeof part !== 'number' || typeof lane !== 'string' || typeof text !== 'string') return false;
  // Where its end is not where a server is to go on, there would be a hole.
  return kind === 'latest' ? typeof bytes === 'number' : bytes === utf8Length(text);
}
