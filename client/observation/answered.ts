import { isTerminalType, type ActionStatus, type Fact, type UnknownFact } from '../../machines/index.ts';

const TASKS_MAX = 1000;

/** The questions that this client has answered, for as long as it lives. */
export interface Answered {
  note(taskId: string, suspendId: string, status: ActionStatus): void;
  /** Learns from a fact that was delivered. */
  read(fact: Fact | UnknownFact): void;
  has(fact: Fact | UnknownFact): boolean;
}

/** Remembers answers until the question is closed or the task has ended. */
export function createAnswered(): Answered {
  const tasks = new Map<string, Set<string>>();
  // Facts of other servers may lack what their type promises.
  const idOf = (fact: Fact | UnknownFact): unknown => (fact.payload as { suspendId?: unknown } | null | undefined)?.suspendId;

  function add(taskId: string, suspendId: string): void {
    const ids = tasks.get(taskId) ?? new Set();
    tasks.set(taskId, ids.add(suspendId));
    if (tasks.size > TASKS_MAX) for (const oldest of tasks.keys()) return void tasks.delete(oldest);
  }

  return {
    note(taskId, suspendId, status) {
      if (status === 'ACCEPTED' || status === 'DEDUPLICATED') add(taskId, suspendId);
    },
    read(fact) {
      const suspendId = idOf(fact);
      if (isTerminalType(fact.type)) tasks.delete(fact.taskId);
      else if (typeof suspendId !== 'string') return;
      else if (fact.type === 'TASK_ACTION_ACCEPTED') add(fact.taskId, suspendId);
      else if (fact.type === 'TASK_SUSPENSION_CLOSED') tasks.get(fact.taskId)?.delete(suspendId);
    },
    has(fact) {
      const suspendId = idOf(fact);
      return fact.type === 'TASK_SUSPENDED' && typeof suspendId === 'string' && (tasks.get(fact.taskId)?.has(suspendId) ?? false);
    },
  };
}
