import { openSuspensions } from '../../machines/index.ts';
import { attemptState } from '../attempt/execution-record.ts';
import type { TaskSettings } from './settings.ts';
import type { TaskRecord } from './task-record.ts';

/** When a node has to look at the task again: the earliest of all that may have to be done, in milliseconds of the store's clock, or null for never. */
export function nextDue({ about, aggregate, execution }: TaskRecord, now: number, settings: TaskSettings): number | null {
  const { leaseUntil, retryAt, startBy, graceUntil, pendingDeliveries } = execution.attempt.context;
  const times: (number | null)[] = [];
  const effectRetryAt = now + settings.effectRetryMs;
  switch (attemptState(execution)) {
    case 'released':
      return (execution.endedAt ?? about.createdAt) + settings.retainedAfterEndMs;
    case 'starting':
    case 'stopping':
    case 'ended':
      times.push(leaseUntil, effectRetryAt);
      break;
    case 'pending':
    case 'lost':
      times.push(retryAt ?? now, startBy);
      break;
    default:
      times.push(leaseUntil, pendingDeliveries.length > 0 ? effectRetryAt : null);
  }
  times.push(retryAt, graceUntil, ...openSuspensions(aggregate).map(({ expiresAt }) => (expiresAt == null ? null : Date.parse(expiresAt))));
  const known = times.filter((time) => time !== null);
  return known.length > 0 ? Math.min(...known) : null;
}
