import { cancellationOf, failureOf, openSuspensions, progressOf, resultEventIdOf, stateOf, statusOf } from '../../machines/index.ts';
import { parseEventId, type Json, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { endOfValue } from '../json-scan.ts';
import type { Store } from '../ports/store.ts';
import type { CommittedSnapshot } from './service.ts';
import type { TaskRecord } from './task-record.ts';

/** A task as its chart stands. The result is read from its fact, which a log never loses: it is the last one. */
export async function snapshotOf({ about, aggregate }: TaskRecord, store: Store): Promise<CommittedSnapshot> {
  const { taskId, taskType, clientRequestId, createdAt } = about;
  const { task, lastEventId } = aggregate;
  const last = lastEventId === null ? undefined : parseEventId(lastEventId);
  const page = await store.read(taskId, last?.n ?? 1, { facts: 1, bytes: 0 });
  const failure = failureOf(task);
  const cancellation = cancellationOf(task);
  const entry = page?.entries[0];
  return {
    taskId,
    taskType,
    clientRequestId,
    status: statusOf(task),
    state: stateOf(task),
    progress: progressOf(task),
    suspensions: openSuspensions(aggregate),
    ...(entry && entry.eventId === resultEventIdOf(task) && { resultJson: resultIn(entry.bytes) }),
    ...(failure && { failure }),
    ...(cancellation && { cancellation }),
    firstEventId: page?.firstEventId ?? null,
    lastEventId,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(last?.ms ?? createdAt).toISOString(),
  };
}

/** The answer of `GET /tasks/{taskId}`, as an object. */
export function snapshotResponse({ resultJson, ...snapshot }: CommittedSnapshot): TaskSnapshotResponse {
  return resultJson ? { ...snapshot, result: JSON.parse(resultJson.toString('utf8')) as Json } : snapshot;
}

/** The same as JSON, with the result as it was committed. */
export function snapshotJson({ resultJson, ...snapshot }: CommittedSnapshot): Buffer {
  const json = Buffer.from(JSON.stringify(snapshot));
  return resultJson ? Buffer.concat([json.subarray(0, -1), Buffer.from(',"result":'), resultJson, json.subarray(-1)]) : json;
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
