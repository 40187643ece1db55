import type { TaskPart } from '../../machines/parts/index.ts';
import { limits, type FactPayload } from '../../machines/wire/index.ts';
import { positionOf } from '../live/log-position.ts';
import { wholeCharacters } from '../live/part-frames.ts';
import type { NewestOfTask } from '../ports/lanes.ts';
import type { Store } from '../ports/store.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { valueText } from './lane-value.ts';
import type { ClosedPart, OpenPartLane } from './lane-record.ts';

/** Of all texts of a snapshot together, in bytes. */
export const SNAPSHOT_TEXT_BYTES_MAX = 256 * 1024;

/**
 * The parts of a task, as its snapshot lists them: the open ones, and the newest that are closed. Undefined where one was closed since the task was
 * read: read it again.
 */
export async function shownParts(record: TaskRecord, store: Store, hasTexts: boolean): Promise<readonly TaskPart[] | undefined> {
  const { open, closed } = record.execution.lanes;
  const { lanes } = store;
  const opened = Object.entries(open).filter(([, { name, kind }]) => name !== undefined && kind !== undefined);
  const lengths = opened.length > 0 && lanes ? ((await lanes.newest([record.about.taskId]))[0]?.lanes ?? []) : [];
  const listed = opened.map(([part, lane]) => openPart(Number(part), lane, lengths));
  if (listed.some((part) => part === undefined)) return undefined;
  const parts = [...closed.map(closedPart), ...listed.flatMap((part) => part ?? [])];
  if (!hasTexts) return parts.toSorted(byNumber);
  const shown: TaskPart[] = [];
  let room = SNAPSHOT_TEXT_BYTES_MAX;
  // The newest are what somebody looks at.
  for (const part of parts.toReversed()) {
    const most = Math.min(room, limits.partTextBytesMax);
    // How long a value is, its version does not say.
    const fits = part.kind === 'latest' || part.bytes <= most;
    const one = fits ? await withText(part, record, store, most) : part;
    if (!one) return undefined;
    if (one.text !== undefined) room -= Buffer.byteLength(one.text);
    shown.push(one);
  }
  return shown.toSorted(byNumber);
}

const byNumber = (a: TaskPart, b: TaskPart): number => a.part - b.part;

function openPart(part: number, { lane, name, kind }: OpenPartLane, lengths: NewestOfTask['lanes']): TaskPart | undefined {
  const newest = lengths.find((one) => one.lane === lane);
  if (!newest || name === undefined || kind === undefined) return undefined;
  return { part, eventId: lane, name, kind, bytes: newest.length, open: true, epoch: newest.epoch.mark };
}

function closedPart({ part, lane, name, kind, bytes, outcome }: ClosedPart): TaskPart {
  return { part, eventId: lane, name, kind, bytes, open: false, outcome };
}

async function withText(
  part: TaskPart,
  { about: { taskId }, execution }: TaskRecord,
  store: Store,
  most: number,
): Promise<TaskPart | undefined> {
  const closed = execution.lanes.closed.find((one) => one.part === part.part);
  if (!part.open && closed?.textIn !== undefined) {
    const text = (await closingPayload(store, taskId, closed.textIn))?.text;
    return text === undefined || Buffer.byteLength(text) > most ? part : { ...part, text };
  }
  const lane = (execution.lanes.open[part.part] ?? closed)?.lane;
  const page = lane && (await store.lanes?.readPart(taskId, lane, 0, limits.partTextBytesMax));
  if (!page) return part.open ? undefined : part;
  if (page.latest) {
    const shown = { ...part, bytes: page.length, ...(part.open && { epoch: page.epoch.mark }) };
    return page.bytes.byteLength > most ? shown : { ...shown, text: valueText(page) };
  }
  // It has grown since its length was asked for.
  if (page.length > page.bytes.byteLength) return { ...part, bytes: page.length };
  const bytes = wholeCharacters(page.bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return { ...part, bytes: bytes.byteLength, ...(part.open && { epoch: page.epoch.mark }), text };
}

/** What the fact that closed a part says; undefined where the log does not have it (any more). */
export async function closingPayload(
  store: Pick<Store, 'read'>,
  taskId: string,
  n: number,
): Promise<FactPayload<'TASK_PART_CLOSED'> | undefined> {
  const page = await store.read(taskId, n, { facts: 1, bytes: 0 });
  const [entry] = page?.entries ?? [];
  // Where it is no longer kept, a read gives what is.
  if (!entry || positionOf(entry.eventId).n !== n) return undefined;
  // Written by this library, checked then.
  const fact = JSON.parse(Buffer.from(entry.bytes).toString('utf8')) as { readonly payload: FactPayload<'TASK_PART_CLOSED'> };
  return fact.payload;
}
