import { aggregateFromSnapshot, emptyAggregate } from '../../machines/index.ts';
import type { TaskSnapshotResponse } from '../../machines/wire/index.ts';
import type { TaskBridgeClientError } from '../errors.ts';
import { viewConnection, viewKnown, viewTask, type ObservationSnapshot } from './snapshot.ts';

/**
 * What is known of a task before anybody observes it: what an observation's first snapshot says, and all that a server can render. With an
 * `error`, what is known of one that cannot be observed.
 */
export function idleSnapshot(taskId: string, error?: TaskBridgeClientError): ObservationSnapshot {
  const ending = error && ({ state: 'failed', error } as const);
  return {
    connection: viewConnection(undefined, ending),
    task: viewTask(taskId, emptyAggregate, undefined),
    known: viewKnown(false, ending),
  };
}

/** What is known of a task by an answer of `client.get`, before anybody observes it: for a page that a server renders. */
export function fetchedSnapshot(response: TaskSnapshotResponse): ObservationSnapshot {
  return {
    connection: viewConnection(undefined, undefined),
    task: viewTask(response.taskId, aggregateFromSnapshot(response), response.result),
    known: 'known',
  };
}
