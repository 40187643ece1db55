import type { Gauged } from '../observability/gauge-sampler.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { RunningAttempt } from './running-attempts.ts';

/** What the gauges of work are made of. */
export interface WorkGaugesDeps {
  /** What runs here. */
  readonly runs: Iterable<Pick<RunningAttempt, 'taskId' | 'taskType' | 'state' | 'pending'>>;
  /** Tasks that rest here after a failure. */
  readonly resting: Iterable<string>;
  /** A task's record, where it is at hand. */
  known(taskId: string): TaskRecord | undefined;
}

/** What the gauges of the work of this node show. */
export function* workGauges({ runs, resting, known }: WorkGaugesDeps): Generator<Gauged> {
  const tasks = new Map<string, { readonly tags: Readonly<Record<string, string>>; value: number }>();
  const running = new Set<string>();
  let pending = 0;
  for (const { taskId, taskType: task_type, state, pending: owed } of runs) {
    running.add(taskId);
    pending += owed;
    const counted = tasks.get(`${task_type} ${state}`);
    if (counted) counted.value += 1;
    else tasks.set(`${task_type} ${state}`, { tags: { task_type, state }, value: 1 });
  }
  // Work that an outside system keeps is no run of this node: of it, those are known here whose answers could not be handed over.
  for (const taskId of resting) if (!running.has(taskId)) pending += known(taskId)?.execution.attempt.context.pendingDeliveries.length ?? 0;
  for (const { tags, value } of tasks.values()) yield { name: 'tasks_held', tags, value };
  yield { name: 'handoffs_pending', tags: {}, value: pending };
}
