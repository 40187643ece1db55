import type { CheckpointStore } from '../checkpoints/store.ts';
import { isTerminalType, type ActionStatus, type Fact, type UnknownFact } from '../../machines/wire/index.ts';

const TASKS_MAX = 1000;

/** The questions that this client has answered, until they are closed or their task has ended. */
export interface AnsweredQuestions {
  /** Reads what an earlier client of this store remembered. Never rejects. */
  load(taskId: string): Promise<void>;
  note(taskId: string, suspendId: string, status: ActionStatus): void;
  /** Learns from a fact that was delivered. */
  learn(fact: Fact | UnknownFact): void;
  has(fact: Fact | UnknownFact): boolean;
  /** Forgets the answers of a task, or one of them. */
  forget(taskId: string, suspendId?: string): void;
  /** Resolves when everything is written. */
  flush(): Promise<void>;
}

/** Where answers outlive the client. */
export interface AnsweredQuestionsDeps {
  readonly store: CheckpointStore;
  readonly keyOf: (taskId: string) => string;
  readonly onFault: (taskId: string, cause: unknown) => void;
}

/** Remembers answers, also in a store where one is given. */
export function createAnsweredQuestions(deps?: AnsweredQuestionsDeps): AnsweredQuestions {
  const tasks = new Map<string, Set<string>>();
  let writing: Promise<void> = Promise.resolve();
  // Facts of other servers may lack what their type promises.
  const idOf = (fact: Fact | UnknownFact): unknown => (fact.payload as { suspendId?: unknown } | null | undefined)?.suspendId;

  function add(taskId: string, suspendId: string): void {
    const ids = tasks.get(taskId) ?? new Set();
    if (ids.has(suspendId)) return;
    tasks.set(taskId, ids.add(suspendId));
    save(taskId);
    if (tasks.size > TASKS_MAX) for (const oldest of tasks.keys()) return void tasks.delete(oldest);
  }

  /** One write after the other, each of what is known by then. */
  function save(taskId: string): void {
    if (!deps) return;
    const { store, keyOf, onFault } = deps;
    writing = writing
      .then(() => {
        const ids = tasks.get(taskId);
        return ids?.size ? store.write(keyOf(taskId), JSON.stringify([...ids])) : store.remove(keyOf(taskId));
      })
      .catch((cause: unknown) => onFault(taskId, cause));
  }

  function forget(taskId: string, suspendId?: string): void {
    const changed = suspendId === undefined ? tasks.delete(taskId) : tasks.get(taskId)?.delete(suspendId);
    if (changed) save(taskId);
  }

  return {
    async load(taskId) {
      if (!deps) return;
      try {
        const ids: unknown = JSON.parse((await deps.store.read(deps.keyOf(taskId))) ?? '[]');
        if (!Array.isArray(ids) || ids.length === 0) return;
        const known = tasks.get(taskId) ?? new Set();
        for (const id of ids) if (typeof id === 'string') known.add(id);
        tasks.set(taskId, known);
      } catch (cause) {
        deps.onFault(taskId, cause);
      }
    },
    forget,
    flush: () => writing,
    note(taskId, suspendId, status) {
      if (status === 'ACCEPTED' || status === 'DEDUPLICATED') add(taskId, suspendId);
    },
    learn(fact) {
      const suspendId = idOf(fact);
      if (isTerminalType(fact.type)) forget(fact.taskId);
      else if (typeof suspendId !== 'string') return;
      else if (fact.type === 'TASK_ACTION_ACCEPTED') add(fact.taskId, suspendId);
      else if (fact.type === 'TASK_SUSPENSION_CLOSED') forget(fact.taskId, suspendId);
    },
    has(fact) {
      const suspendId = idOf(fact);
      return fact.type === 'TASK_SUSPENDED' && typeof suspendId === 'string' && (tasks.get(fact.taskId)?.has(suspendId) ?? false);
    },
  };
}
