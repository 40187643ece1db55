import type { Fact } from '../../machines/wire/index.ts';
import type { MetricsSink } from '../ports/observability.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { MetricName } from './metrics-table.ts';
import type { RecordWriter } from './record-writer.ts';

const countedFacts: Partial<Record<Fact['type'], MetricName>> = {
  TASK_FAILED: 'task_failures_total',
  TASK_ACTION_ACCEPTED: 'actions_accepted_total',
};

/** Counts and records what a commit wrote. Called after it, once for each fact, by the node that made it. */
export function commitObserver(deps: {
  readonly metrics: MetricsSink;
  readonly records: RecordWriter;
}): (record: TaskRecord, facts: readonly Fact[]) => void {
  const { metrics, records } = deps;
  return ({ about: { taskId, clientRequestId, owner: userId } }, facts) => {
    for (const { type, eventId } of facts) {
      const counted = countedFacts[type];
      if (counted) metrics.incrementCounter(counted);
      records('task.event.appended')?.({ taskId, eventId, clientRequestId, userId, transport: 'internal', outcome: type });
    }
  };
}
