import { cancellationOf, failureOf, openSuspensions, progressOf, resultEventIdOf, stateOf, statusOf } from '../../machines/index.ts';
import { parseEventId, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import type { Store } from '../ports/store.ts';
import type { TaskRecord } from './task-record.ts';

/** The answer of `GET /tasks/{taskId}`. The result is read from its fact, which a log never loses: it is the last one. */
export async function snapshotOf({ about, aggregate }: TaskRecord, store: Store): Promise<TaskSnapshotResponse> {
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
    ...(entry && entry.eventId === resultEventIdOf(task) && { result: resultIn(entry.bytes) }),
    ...(failure && { failure }),
    ...(cancellation && { cancellation }),
    firstEventId: page?.firstEventId ?? null,
    lastEventId,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(last?.ms ?? createdAt).toISOString(),
  };
}

function resultIn(bytes: Uint8Array): unknown {
  // A TASK_COMPLETED that this library wrote, checked against its schema then.
  return (JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly payload: { readonly result: unknown } }).payload.result;
}
