import type { Fact } from '../../machines/wire/index.ts';
import type { MetricsSink } from '../ports/observability.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { TaskAbout } from '../task/about.ts';
import type { CommitNote } from '../task/commit-notes.ts';
import type { CommitListener } from '../task/processor-deps.ts';
import type { StoreClock } from '../task/store-clock.ts';
import type { MetricName } from './metrics-table.ts';
import { askedAt, type QuestionWaitsDeps } from './question-waits.ts';
import type { RecordWriter } from './record-writer.ts';
import { tellEnded } from './task-spans.ts';

const countedFacts: Partial<Record<Fact['type'], MetricName>> = {
  TASK_FAILED: 'task_failures_total',
  TASK_ACTION_ACCEPTED: 'actions_accepted_total',
};

/** What commits are counted and recorded with. */
export interface CommitObserverDeps extends QuestionWaitsDeps {
  readonly metrics: Required<MetricsSink>;
  readonly records: RecordWriter;
  /** False where nobody counts: then nothing is read for it. */
  readonly isCounting: boolean;
  /** Absent where nobody traces. */
  readonly tracer?: Tracer | undefined;
  /** The store's time. */
  readonly time: Pick<StoreClock, 'now'>;
}

/** Counts, records and follows what a commit wrote. Called after it, once for each fact, by the node that made it. */
export function commitObserver(deps: CommitObserverDeps): CommitListener {
  const { metrics, records, tracer, time } = deps;
  return (record, facts, _, notes) => {
    const { about } = record;
    for (const note of notes) observeNote(deps, about, note);
    if (tracer) tellEnded({ ...deps, tracer, now: () => time.now() }, record, notes);
    const { taskId, clientRequestId, owner: userId } = about;
    for (const fact of facts) {
      const { type, eventId } = fact;
      const counted = countedFacts[type];
      if (counted) metrics.incrementCounter(counted);
      metrics.incrementCounter('facts_total', 1, { type });
      observeTimes(metrics, about, fact);
      records('task.event.appended')?.({ taskId, eventId, clientRequestId, userId, transport: 'internal', outcome: type });
    }
  };
}

function observeNote(deps: CommitObserverDeps, { taskId, taskType: task_type }: TaskAbout, note: CommitNote): void {
  const { metrics, isCounting } = deps;
  if (!isCounting) return;
  if (note.type === 'question.closed') {
    const { outcome, at } = note;
    void askedAt(deps, taskId, note).then((asked) => {
      if (asked !== undefined) metrics.observeHistogram('question_seconds', Math.max(0, at - asked) / 1000, { task_type, outcome });
    });
  } else if (note.event.type === 'attempt.claimed') metrics.incrementCounter('attempts_total', 1, { task_type });
  else if (note.event.type === 'attempt.lost')
    metrics.incrementCounter('attempts_lost_total', 1, { task_type, cause: note.event.crashed ? 'crashed' : 'given_up' });
}

const ends: Partial<Record<Fact['type'], string>> = { TASK_COMPLETED: 'completed', TASK_FAILED: 'failed', TASK_CANCELLED: 'cancelled' };

/** Both times are the store's. */
function observeTimes(metrics: Required<MetricsSink>, { taskType: task_type, createdAt }: TaskAbout, fact: Fact): void {
  const state = ends[fact.type];
  if (state === undefined && fact.type !== 'TASK_STARTED') return;
  const seconds = Math.max(0, Date.parse(fact.createdAt) - createdAt) / 1000;
  if (state === undefined) return metrics.observeHistogram('task_start_seconds', seconds, { task_type });
  metrics.incrementCounter('tasks_ended_total', 1, { task_type, state, code: fact.type === 'TASK_FAILED' ? fact.payload.code : '' });
  metrics.observeHistogram('task_end_seconds', seconds, { task_type, state });
}
