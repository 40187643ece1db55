import { cancellationOf, failureOf, openSuspensions, progressOf, resultEventIdOf, stateOf, statusOf } from '../../machines/index.ts';
import type { TaskPart } from '../../machines/parts/index.ts';
import { limits, parseEventId, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { endOfValue } from '../json-scan.ts';
import type { Store } from '../ports/store.ts';
import { parseAttachments, shownAttachment } from './stored-attachments.ts';
import type { CommittedJson, CommittedSnapshot } from './service.ts';
import { sideValueNames, type TaskRecord } from './task-record.ts';

/** A task as its chart stands, with the parts that are shown of it. The result is read from its fact, which a log never loses: it is the last one. */
export async function snapshotOf(
  { about, aggregate }: TaskRecord,
  store: Store,
  parts: readonly TaskPart[] = [],
): Promise<CommittedSnapshot> {
  const { taskId, taskType, clientRequestId, createdAt, title, labels } = about;
  const { task, lastEventId } = aggregate;
  const last = lastEventId === null ? undefined : parseEventId(lastEventId);
  const [page, [content, files]] = await Promise.all([
    store.read(taskId, last?.n ?? 1, { facts: 1, bytes: 0 }),
    store.sideValues(taskId, [sideValueNames.content, sideValueNames.attachments]),
  ]);
  const failure = failureOf(task);
  const cancellation = cancellationOf(task);
  const entry = page?.entries[0];
  const { json, sizes } = givenIn(content);
  return {
    taskId,
    taskType,
    clientRequestId,
    status: statusOf(task),
    state: stateOf(task),
    progress: progressOf(task),
    suspensions: openSuspensions(aggregate),
    ...(failure && { failure }),
    ...(cancellation && { cancellation }),
    ...(title !== undefined && { title }),
    ...(labels && { labels }),
    ...sizes,
    ...(files !== undefined && { attachments: parseAttachments(files).map(shownAttachment) }),
    ...(parts.length > 0 && { parts }),
    firstEventId: page?.firstEventId ?? null,
    lastEventId,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(last?.ms ?? createdAt).toISOString(),
    json: { ...json, ...(entry && entry.eventId === resultEventIdOf(task) && { result: resultIn(entry.bytes) }) },
  };
}

/** The answer of `GET /tasks/{taskId}`, as an object. */
export function snapshotResponse({ json, ...snapshot }: CommittedSnapshot): TaskSnapshotResponse {
  const fields = Object.entries(json).map(([name, bytes]: [string, Buffer]) => [name, JSON.parse(bytes.toString('utf8')) as unknown]);
  return { ...snapshot, ...(Object.fromEntries(fields) as Pick<TaskSnapshotResponse, keyof CommittedJson>) };
}

/** Snapshots as they were answered. */
const texts = new WeakMap<CommittedSnapshot, Buffer>();

/** The same as JSON, with what was committed as it was. */
export function snapshotJson(snapshot: CommittedSnapshot): Buffer {
  const known = texts.get(snapshot);
  if (known) return known;
  const bytes = textOf(snapshot);
  texts.set(snapshot, bytes);
  return bytes;
}

function textOf({ json, ...snapshot }: CommittedSnapshot): Buffer {
  const whole = Buffer.from(JSON.stringify(snapshot));
  const fields = Object.entries(json).flatMap(([name, bytes]: [string, Buffer]) => [Buffer.from(`,"${name}":`), bytes]);
  return fields.length === 0 ? whole : Buffer.concat([whole.subarray(0, -1), ...fields, whole.subarray(-1)]);
}

const INPUT = Buffer.from('{"input":');
const METADATA = Buffer.from(',"metadata":');

/** Input and metadata of what a task was created with, in our own text; of what is large only the size, and nothing is parsed. */
function givenIn(content: string | undefined): {
  readonly json: Pick<CommittedJson, 'input' | 'metadata'>;
  readonly sizes: Pick<TaskSnapshotResponse, 'inputBytes' | 'metadataBytes'>;
} {
  if (content === undefined) return { json: {}, sizes: {} };
  const bytes = Buffer.from(content);
  const inputEnd = endOfValue(bytes, INPUT.length);
  const metadataFrom = inputEnd + METADATA.length;
  const input = bytes.subarray(INPUT.length, inputEnd);
  const metadata = bytes.subarray(metadataFrom, endOfValue(bytes, metadataFrom));
  const isSmall = (value: Buffer): boolean => value.length <= limits.snapshotValueBytesMax;
  return {
    json: { ...(isSmall(input) && { input }), ...(isSmall(metadata) && { metadata }) },
    sizes: { ...(!isSmall(input) && { inputBytes: input.length }), ...(!isSmall(metadata) && { metadataBytes: metadata.length }) },
  };
}

const RESULT = Buffer.from('"payload":{"result":');
/** Behind type, ids and time of a fact. */
const HEAD_BYTES_MAX = 1024;

/** A part of a TASK_COMPLETED that this library wrote, checked against its schema then: as a rule the result is all of its payload. */
function resultIn(fact: Uint8Array): Buffer {
  const bytes = Buffer.from(fact.buffer, fact.byteOffset, fact.byteLength);
  const at = bytes.subarray(0, HEAD_BYTES_MAX).indexOf(RESULT);
  const from = at + RESULT.length;
  if (at >= 0 && endOfValue(bytes, from) === bytes.length - 2) return bytes.subarray(from, -2);
  const { payload } = JSON.parse(bytes.toString('utf8')) as { readonly payload: { readonly result: unknown } };
  return Buffer.from(JSON.stringify(payload.result));
}
