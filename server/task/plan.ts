import { openSuspensions } from '../../machines/index.ts';
import { attemptState, type ExecutionRecord } from '../attempt/execution-record.ts';
import type { Plan, PlannedWork } from '../ports/store.ts';
import type { TaskSettings } from './settings.ts';
import type { TaskRecord } from './task-record.ts';

/** Where a task stands until its next commit: when any node has to look at it, and who works on it or will. */
export function planOf(record: TaskRecord, now: number, settings: TaskSettings): Plan {
  return { wakeAt: wakeTime(record, settings), work: plannedWork(record.execution, now, settings) };
}

/** The earliest of all that any node can do, whatever it handles: what needs the store only. In milliseconds of the store's clock; null for never. */
export function wakeTime({ about, aggregate, execution }: TaskRecord, { retainedAfterEndMs }: TaskSettings): number | null {
  const { startBy, graceUntil } = execution.attempt.context;
  const state = attemptState(execution);
  if (state === 'released' || state === 'ended') return (execution.endedAt ?? about.createdAt) + retainedAfterEndMs;
  const isAsked = execution.attempt.hasTag('claimable');
  const ownTime = earlier(graceUntil, isAsked ? startBy : null);
  if (aggregate.task.context.openSuspensionIds.length === 0) return ownTime;
  const deadlines = openSuspensions(aggregate).map(({ expiresAt }) => (expiresAt == null ? null : Date.parse(expiresAt)));
  return deadlines.reduce(earlier, ownTime);
}

/** Whose turn it is. What is still to be told to the work, its holder hears of by itself; where an outside system keeps it, any node tells it. */
function plannedWork(execution: ExecutionRecord, now: number, { effectRetryMs }: TaskSettings): PlannedWork | null {
  const { node, leaseUntil, retryAt, pendingDeliveries } = execution.attempt.context;
  const effectRetryAt = now + effectRetryMs;
  if (node !== null) return leaseUntil === null ? { heldBy: node } : { heldBy: node, until: leaseUntil };
  switch (attemptState(execution)) {
    case 'released':
      return null;
    case 'pending':
    case 'lost':
    case 'suspected':
      if (retryAt !== null && retryAt > now) return { readyAt: retryAt };
      // Somebody has answered, and waits.
      return { readyAt: pendingDeliveries.length > 0 ? 0 : (retryAt ?? now) };
    case 'stopping':
    case 'ended':
      return readyAt(effectRetryAt);
    default:
      return readyAt(earlier(retryAt, pendingDeliveries.length > 0 ? effectRetryAt : null));
  }
}

function readyAt(time: number | null): PlannedWork | null {
  return time === null ? null : { readyAt: time };
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
