import type { Aggregate, TaskSnapshot } from './aggregate/aggregate.ts';
import type { TaskStatus } from './wire/commands.ts';
import type { FactPayload } from './wire/facts.ts';

/** The name of the chart's innermost state. `joined` occurs on clients only. */
export type TaskState = 'accepted' | 'joined' | 'running' | 'suspended' | 'cancelling' | 'completed' | 'failed' | 'cancelled';

const statuses: Readonly<Record<TaskState, TaskStatus>> = {
  accepted: 'ACCEPTED',
  joined: 'RUNNING',
  running: 'RUNNING',
  suspended: 'RUNNING',
  cancelling: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
};

/** The innermost state of the task chart. */
export function stateOf({ value }: Pick<TaskSnapshot, 'value'>): TaskState {
  return typeof value === 'string' ? value : value.active;
}

/** The status that the wire has for a task. */
export function statusOf(task: Pick<TaskSnapshot, 'value'>): TaskStatus {
  return statuses[stateOf(task)];
}

/** True once the task has ended. */
export function isTerminal(task: Pick<TaskSnapshot, 'hasTag'>): boolean {
  return task.hasTag('terminal');
}

/** The last progress, or null before the first. */
export function progressOf(task: Pick<TaskSnapshot, 'context'>): FactPayload<'TASK_PROGRESS'> | null {
  return task.context.progress;
}

/** The questions that wait for an answer, oldest first. */
export function openSuspensions({ task, suspensions }: Aggregate): readonly FactPayload<'TASK_SUSPENDED'>[] {
  return task.context.openSuspensionIds.flatMap((id) => suspensions.get(id)?.context.question ?? []);
}

/** Why the task failed, where it did. */
export function failureOf(task: Pick<TaskSnapshot, 'context'>): FactPayload<'TASK_FAILED'> | null {
  return task.context.failure;
}

/** Why the task was cancelled, where it was. */
export function cancellationOf(task: Pick<TaskSnapshot, 'context'>): FactPayload<'TASK_CANCELLED'> | null {
  return task.context.cancellation;
}

/** Where the result stands in the log: the id of its fact. The fact itself carries it. */
export function resultEventIdOf(task: Pick<TaskSnapshot, 'context'>): string | null {
  return task.context.resultEventId;
}
