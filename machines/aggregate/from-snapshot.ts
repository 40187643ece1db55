import type { EventId } from '../wire/event-id.ts';
import type { TaskState } from '../selectors.ts';
import type { TaskSnapshotResponse } from '../wire/commands.ts';
import { emptyAggregate, type Aggregate } from './aggregate.ts';
import { restoreAggregate, STORED_VERSION, type StoredSuspension } from './stored.ts';

const states: readonly string[] = [
  'accepted',
  'running',
  'suspended',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] satisfies TaskState[];

/**
 * Begins an aggregate at the answer of `GET /tasks/{taskId}`, so that a client need not fold a log from its first fact. Questions that
 * were closed before are not in that answer, and so not in the aggregate. A state that this version does not know becomes `joined`.
 */
export function aggregateFromSnapshot(response: TaskSnapshotResponse): Aggregate {
  const state = (states.includes(response.state) ? response.state : 'joined') as TaskState;
  const open = response.suspensions.map((question): [string, StoredSuspension] => [
    question.suspendId,
    { v: STORED_VERSION, state: 'open', context: { question } },
  ]);
  return restoreAggregate({
    task: {
      v: STORED_VERSION,
      state,
      context: {
        ...emptyAggregate.task.context,
        progress: response.progress,
        openSuspensionIds: open.map(([suspendId]) => suspendId),
        suspensionCount: open.length,
        resultEventId: state === 'completed' ? response.lastEventId : null,
        failure: response.failure ?? null,
        cancellation: response.cancellation ?? null,
      },
      // The server's newest id is an event id by the protocol.
      lastEventId: response.lastEventId as EventId | null,
    },
    suspensions: Object.fromEntries(open),
  });
}
