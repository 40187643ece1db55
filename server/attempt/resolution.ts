import { TaskBridgeError } from '../errors.ts';
import type { AcceptedAction, Resolution } from '../ports/executor.ts';
import type { Store } from '../ports/store.ts';
import { sideValueNames, type TaskRecord } from '../task/task-record.ts';

/** How a question ended, with its accepted answer; undefined while it is open or was never asked. */
export async function resolutionOf({ about, aggregate }: TaskRecord, suspendId: string, store: Store): Promise<Resolution | undefined> {
  switch (aggregate.suspensions.get(suspendId)?.value) {
    case 'resolved': {
      const [answer] = await store.sideValues(about.taskId, [sideValueNames.answer(suspendId)]).catch(unavailable);
      if (answer === undefined) throw new Error(`The store has no answer of suspension ${suspendId} of task ${about.taskId}.`);
      return { outcome: 'ANSWERED', suspendId, action: JSON.parse(answer) as AcceptedAction };
    }
    case 'expired':
      return { outcome: 'EXPIRED', suspendId };
    case 'cancelled':
      return { outcome: 'CANCELLED', suspendId };
    default:
      return undefined;
  }
}

/** Work waits for a store that is down, and fails by any other error. */
function unavailable(cause: unknown): never {
  throw new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not answer; try again later.', { retryAfterSeconds: 5, cause });
}
