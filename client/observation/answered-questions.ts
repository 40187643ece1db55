import type { CheckpointStore } from '../checkpoints/store.ts';
import type { ActionStatus, Fact, UnknownFact } from '../../machines/wire/index.ts';

const TASKS_MAX = 1000;

/**
 * The questions that were answered here. Known as long as the client lives, so that no iterator shows one because it is slow; kept in the store,
 * for a later client, until the task has ended.
 */
export interface AnsweredQuestions {
  /** Reads what an earlier client of this store remembered. Never rejects. */
  load(taskId: string): Promise<void>;
  note(taskId: string, suspendId: string, status: ActionStatus): void;
  /** Nothing more comes of the task: a later client need not know. */
  ended(taskId: string): void;
  has(fact: Fact | UnknownFact): boolean;
  /** The history of a task was replaced: what was answered in it may be asked again. */
  forget(taskId: string): void;
  /** Resolves when everything is written. */
  flush(): Promise<void>;
}

/** Where answers outlive the client. */
export interface AnsweredQuestionsDeps {
  readonly store: CheckpointStore;
  readonly keyOf: (taskId: string) => string;
  readonly onFault: (taskId: string, cause: unknown) => void;
}

/** What is known of one task. */
interface Answers {
  readonly ids: Set<string>;
  /** Nothing of it is kept any more, whatever is still told: a receipt may come after the end that it has led to. */
  hasEnded: boolean;
}

/** Remembers answers, also in a store. */
export function createAnsweredQuestions({ store, keyOf, onFault }: AnsweredQuestionsDeps): AnsweredQuestions {
  const tasks = new Map<string, Answers>();
  let writing: Promise<void> = Promise.resolve();

  function of(taskId: string): Answers {
    const known = tasks.get(taskId) ?? { ids: new Set<string>(), hasEnded: false };
    tasks.set(taskId, known);
    const [oldest = ''] = tasks.keys();
    if (tasks.size > TASKS_MAX) tasks.delete(oldest);
    return known;
  }

  /** One write after the other, each of what is known by then. */
  function save(taskId: string): void {
    writing = writing
      .then(() => {
        const { ids, hasEnded = true } = tasks.get(taskId) ?? {};
        return ids?.size && !hasEnded ? store.write(keyOf(taskId), JSON.stringify([...ids])) : store.remove(keyOf(taskId));
      })
      .catch((cause: unknown) => onFault(taskId, cause));
  }

  return {
    async load(taskId) {
      try {
        const ids: unknown = JSON.parse((await store.read(keyOf(taskId))) ?? '[]');
        if (Array.isArray(ids)) for (const id of ids) if (typeof id === 'string') of(taskId).ids.add(id);
      } catch (cause) {
        onFault(taskId, cause);
      }
    },
    forget(taskId) {
      tasks.delete(taskId);
      save(taskId);
    },
    flush: () => writing,
    note(taskId, suspendId, status) {
      if (status !== 'ACCEPTED' && status !== 'DEDUPLICATED') return;
      const { ids, hasEnded } = of(taskId);
      if (ids.has(suspendId)) return;
      ids.add(suspendId);
      if (!hasEnded) save(taskId);
    },
    ended(taskId) {
      of(taskId).hasEnded = true;
      // Also what another client of this store has kept.
      save(taskId);
    },
    has: ({ taskId, type, payload }) => type === 'TASK_SUSPENDED' && (tasks.get(taskId)?.ids.has(String(payload['suspendId'])) ?? false),
  };
}
