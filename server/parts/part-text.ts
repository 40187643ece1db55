import type { PartTextResponse } from '../../machines/parts/index.ts';
import type { EventId, FactPayload } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { validationError } from '../http/validation.ts';
import { positionOf } from '../live/log-position.ts';
import { beginsWithin, partFactOf, wholeCharacters, type PartFact } from '../live/part-frames.ts';
import type { Entry, Store } from '../ports/store.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { ClosedPart } from './lane-record.ts';
import { valueText } from './lane-value.ts';
import { closingPayload } from './shown-parts.ts';

/** Which bytes of a part. */
export interface PartRange {
  /** A place in the part, between two characters. */
  readonly offset: number;
  /** Most bytes. */
  readonly limit: number;
}

/** What is known of a part beside its text. */
interface PartAbout extends Pick<PartTextResponse, 'name' | 'kind' | 'outcome'> {
  readonly eventId: EventId;
  readonly open: boolean;
}
/** What is known of its bytes. */
type Found =
  /** With `versions` it is a value, which was written so often. */
  { readonly about: PartAbout; readonly text: string; readonly versions?: number } | { readonly about: PartAbout; readonly lane: EventId };

/** So much of a log is read at once where a part's closing fact is looked for. */
const SEARCH = { facts: 500, bytes: 256 * 1024 };

/**
 * Reads the text of a part, open or closed. Undefined where it was closed since the task was read: read that again. Throws `TASK_NOT_FOUND` for a part that
 * the task never had, or whose facts the log does not keep, and `REQUEST_VALIDATION_ERROR` for an offset that is beyond it, or within a character.
 */
export async function partText(
  record: TaskRecord,
  store: Store,
  partNumber: string,
  { offset, limit }: PartRange,
): Promise<PartTextResponse | undefined> {
  const { taskId } = record.about;
  const part = /^[1-9]\d{0,14}$/.test(partNumber) ? Number(partNumber) : 0;
  const found = await foundPart(record, store, part);
  if (!found) throw noPart(partNumber);
  const { about } = found;
  if ('text' in found) {
    if (found.versions !== undefined) return valueAnswer(taskId, part, about, { text: found.text, length: found.versions, offset });
    const whole = Buffer.from(found.text);
    return answer(taskId, part, about, { bytes: whole.subarray(offset, offset + limit), length: whole.byteLength, offset });
  }
  const page = await store.lanes?.readPart(taskId, found.lane, offset, limit);
  if (page?.latest) return valueAnswer(taskId, part, { ...about, epoch: page.epoch.mark }, { ...page, text: valueText(page), offset });
  if (page) return answer(taskId, part, { ...about, epoch: page.epoch.mark }, { ...page, offset });
  if (about.open) return undefined;
  throw noPart(partNumber);
}

/** The value of a part that is replaced, whole; no text for who has this version. */
function valueAnswer(
  taskId: string,
  part: number,
  about: PartAbout & { readonly epoch?: string },
  { text, length, offset }: { readonly text: string; readonly length: number; readonly offset: number },
): PartTextResponse {
  if (offset > length) throw badOffset(`is beyond the part, which was written ${length} times`);
  return { taskId, part, ...about, bytes: length, at: offset, to: length, text: offset < length ? text : '' };
}

function answer(
  taskId: string,
  part: number,
  about: PartAbout & { readonly epoch?: string },
  { bytes, length, offset }: { readonly bytes: Uint8Array; readonly length: number; readonly offset: number },
): PartTextResponse {
  if (offset > length) throw badOffset(`is beyond the part, which has ${length} bytes`);
  if (beginsWithin(bytes)) throw badOffset('is within a character');
  // The end of an open part may be cut, too: its rest is on its way.
  const whole = wholeCharacters(bytes);
  const text = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8');
  return { taskId, part, ...about, bytes: length, at: offset, to: offset + whole.byteLength, text };
}

async function foundPart({ about: { taskId }, execution }: TaskRecord, store: Store, part: number): Promise<Found | undefined> {
  if (part === 0) return undefined;
  const { open, kept, closed } = execution.lanes;
  const growing = open[part];
  if (growing) return { about: { ...(await opening(store, taskId, part, growing)), open: true }, lane: growing.lane };
  const recorded = closed.find((one) => one.part === part);
  if (recorded) return closedPart(store, taskId, recorded);
  const opened = await openingFact(store, taskId, part);
  const lane = kept[part] ?? opened?.lane;
  if (!lane) return undefined;
  const payload = await searchedClosing(store, taskId, part);
  const about = { eventId: lane, ...named(opened), open: false, ...(payload && { outcome: payload.outcome }) };
  if (payload?.text !== undefined) return { about, text: payload.text, ...versionsOf(payload) };
  return Object.hasOwn(kept, part) ? { about, lane } : undefined;
}

async function closedPart(store: Store, taskId: string, { lane, name, kind, outcome, textIn }: ClosedPart): Promise<Found | undefined> {
  const about = { eventId: lane, name, kind, open: false, outcome };
  if (textIn === undefined) return { about, lane };
  const payload = await closingPayload(store, taskId, textIn);
  return payload?.text === undefined ? undefined : { about, text: payload.text, ...versionsOf(payload) };
}

function versionsOf({ kind, bytes }: FactPayload<'TASK_PART_CLOSED'>): { readonly versions?: number } {
  return kind === 'latest' ? { versions: bytes } : {};
}

async function opening(
  store: Store,
  taskId: string,
  part: number,
  { lane, name, kind }: Partial<Pick<ClosedPart, 'name' | 'kind'>> & { readonly lane: EventId },
): Promise<Omit<PartAbout, 'open'>> {
  if (name !== undefined && kind !== undefined) return { eventId: lane, name, kind };
  return { eventId: lane, ...named(await openingFact(store, taskId, part)) };
}

type OpeningFact = Extract<PartFact, { readonly type: 'opened' }>;

function named(fact: OpeningFact | undefined): Pick<PartAbout, 'name' | 'kind'> {
  return fact ? { name: fact.name, kind: fact.kind } : {};
}

async function openingFact(store: Store, taskId: string, part: number): Promise<OpeningFact | undefined> {
  const page = await store.read(taskId, part, { facts: 1, bytes: 0 });
  const [entry] = page?.entries ?? [];
  const fact = entry && partFactOf(entry);
  return fact?.type === 'opened' && positionOf(fact.lane).n === part ? fact : undefined;
}

/** Looks through the log for the fact that closed a part: of those that are recorded nobody has to. */
async function searchedClosing(store: Store, taskId: string, part: number): Promise<FactPayload<'TASK_PART_CLOSED'> | undefined> {
  for (let from = part + 1; ;) {
    const { entries } = (await store.read(taskId, from, SEARCH)) ?? { entries: [] as readonly Entry[] };
    const last = entries.at(-1);
    if (!last) return undefined;
    for (const entry of entries) {
      const fact = partFactOf(entry);
      if (fact?.type === 'closed' && fact.part === part) return closingPayload(store, taskId, positionOf(entry.eventId).n);
    }
    from = positionOf(last.eventId).n + 1;
  }
}

function noPart(partNumber: string): TaskBridgeError {
  return new TaskBridgeError('TASK_NOT_FOUND', `There is no part ${JSON.stringify(partNumber.slice(0, 64))} in this task.`);
}

function badOffset(reason: string): TaskBridgeError {
  return validationError([{ path: 'offset', reason }]);
}
