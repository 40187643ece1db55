/** Most tasks of one event stream that many share. By itself, since the client needs no other limit. */
export const STREAM_TASKS_MAX = 64;

/** One task of a set, and where to go on in its log. */
export interface TaskCursor {
  readonly taskId: string;
  /** As it was sent; null for the start. */
  readonly cursor: string | null;
}

/** A set of tasks as it stands in a query: `id@cursor`, or `id@` for the start, with commas between. */
export function taskSetText(set: readonly TaskCursor[]): string {
  return set.map(({ taskId, cursor }) => `${taskId}@${cursor ?? ''}`).join(',');
}

/**
 * Reads it; the last `@` is the one between, since an id may have some. Undefined for none, for more than {@link STREAM_TASKS_MAX}, for one without
 * an id or an `@`, and for one that is there twice. Whether a cursor is one is not looked at.
 */
export function readTaskSet(text: string): readonly TaskCursor[] | undefined {
  const items = text.split(',', STREAM_TASKS_MAX + 1);
  const set = items.map((item): TaskCursor => {
    const at = item.lastIndexOf('@');
    const cursor = item.slice(at + 1);
    return { taskId: item.slice(0, Math.max(0, at)), cursor: cursor === '' || cursor === '0-0' ? null : cursor };
  });
  const ids = new Set(set.map(({ taskId }) => taskId));
  return set.length > STREAM_TASKS_MAX || ids.size < set.length || ids.has('') ? undefined : set;
}
