import type { Rows } from './head.ts';
import { fieldKey } from './keys.ts';

/** What 0.1.0 knew of a task from its first moment on. */
export interface OldTask {
  readonly taskType: string;
  readonly owner: string;
  /** When it was created, in milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Reads it from the one field in which 0.1.0 kept it, whose text is that of a release: it does not change any more. */
export function readOldTask(rows: Rows, taskId: string): OldTask | null {
  try {
    const { taskType, owner, createdAt } = JSON.parse(String(rows.get(fieldKey(taskId, 'about')))) as Readonly<Record<string, unknown>>;
    if (typeof taskType !== 'string' || typeof owner !== 'string') return null;
    return { taskType, owner, createdAt: typeof createdAt === 'number' ? createdAt : 0 };
  } catch {
    return null;
  }
}
