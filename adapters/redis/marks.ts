import { systemChance, type Chance } from '../../server/ports/index.ts';

/**
 * What tells two histories of one task apart that have the same revision. Every commit leaves a mark of its own beside the revision. A store
 * remembers the marks of the tasks that it read or wrote last, and has a commit refused where Redis shows another one: it has lost writes
 * since (restart, failover), other nodes went on from there, and the state that the commit was decided on is no longer the task's.
 */
export interface Marks {
  /** A mark that nobody else makes. */
  next(): string;
  /** Notes what the store has. */
  note(taskId: string, revision: number, mark: string): void;
  /** What should be found at that revision; empty where it is not known. */
  expected(taskId: string, revision: number): string;
  forget(taskId: string): void;
}

/** Tasks whose marks are remembered: more than a bridge keeps at hand. */
const TASKS_MAX = 50_000;

/** Makes an empty memory of marks. */
export function createMarks(chance: Chance = systemChance): Marks {
  const known = new Map<string, { readonly revision: number; readonly mark: string }>();
  const own = chance.hex(12);
  let count = 0;

  return {
    next: () => `${own}.${(count += 1).toString(36)}`,
    note(taskId, revision, mark) {
      // Anew, so that the oldest comes first.
      known.delete(taskId);
      known.set(taskId, { revision, mark });
      if (known.size <= TASKS_MAX) return;
      for (const oldest of known.keys()) {
        known.delete(oldest);
        return;
      }
    },
    expected(taskId, revision) {
      const found = known.get(taskId);
      return found?.revision === revision ? found.mark : '';
    },
    forget(taskId) {
      known.delete(taskId);
    },
  };
}
