import { aggregateFromSnapshot, emptyAggregate } from '../../machines/index.ts';
import type { TaskSnapshotResponse } from '../../machines/wire/index.ts';
import type { TaskBridgeClientError } from '../errors.ts';
import { viewConnection, viewKnown, viewTask, type ObservationSnapshot } from './snapshot.ts';

/**
 * What is known of a task before anybody observes it: what an observation's first snapshot says, and all that a server can render. With an
 * `error`, what is known of one that cannot be observed. With an answer of `client.get` instead of an id, what that says.
 */
export function idleSnapshot(task: string | TaskSnapshotResponse, error?: TaskBridgeClientError): ObservationSnapshot {
  const ending = error && ({ state: 'failed', error } as const);
  const [taskId, isKnown] = typeof task === 'string' ? [task, false] : [task.taskId, true];
  const [aggregate, result] = typeof task === 'string' ? [emptyAggregate, undefined] : [aggregateFromSnapshot(task), task.result];
  return {
    connection: viewConnection(undefined, ending),
    task: viewTask(taskId, aggregate, result),
    known: viewKnown(isKnown, ending),
  };
}
