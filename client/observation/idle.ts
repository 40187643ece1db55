import { emptyAggregate } from '../../machines/index.ts';
import { viewConnection, viewTask, type ObservationSnapshot } from './snapshot.ts';

/** What is known of a task before anybody observes it: what an observation's first snapshot says, and all that a server can render. */
export function idleSnapshot(taskId: string): ObservationSnapshot {
  return { connection: viewConnection(undefined, undefined), task: viewTask(taskId, emptyAggregate, undefined) };
}
