import type { Fact } from '../../machines/wire/index.ts';
import { executorOf, isOurs, type ReconcileDeps } from '../attempt/reconcile-step.ts';
import type { MetricsSink } from '../ports/observability.ts';
import type { TaskRecord } from '../task/task-record.ts';

/** What the count of pending answers works with. */
export interface PendingAnswersDeps extends Pick<ReconcileDeps, 'executors' | 'nodeId' | 'isLeaseOver'> {
  readonly metrics: MetricsSink;
}

/**
 * Counts the answers of a commit that are left pending: the node that took them has reconciled the task since, and did not hand them over
 * (`delivered`). Those of work that another living node holds are that node's, which hears of the commit at once.
 */
export function pendingAnswers(
  deps: PendingAnswersDeps,
): (record: TaskRecord, facts: readonly Fact[], delivered: readonly string[] | undefined) => void {
  return (record, facts, delivered = []) => {
    const pending = facts.filter((fact) => fact.type === 'TASK_ACTION_ACCEPTED' && !delivered.includes(fact.payload.suspendId));
    if (pending.length > 0 && !isHeldElsewhere(record, deps)) deps.metrics.incrementCounter('actions_resume_pending_total', pending.length);
  };
}

function isHeldElsewhere(record: TaskRecord, deps: PendingAnswersDeps): boolean {
  const executor = executorOf(deps, record.about.taskType);
  // Nobody runs such tasks here: those who do look after it.
  return (
    executor === undefined ||
    (executor.leased && record.execution.attempt.context.node !== null && !isOurs(record, deps) && !deps.isLeaseOver(record))
  );
}
