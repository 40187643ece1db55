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

/** Most part cursors of such a query: as many as one task may have open parts, for each task. */
const PART_CURSORS_MAX = STREAM_TASKS_MAX * 16;

/** Part cursors of tasks as they stand in a query: `id@cursor` for each, with commas between; `parts` are those of a task, with commas between. */
export function taskPartsText(set: readonly { readonly taskId: string; readonly parts: string }[]): string {
  return set.flatMap(({ taskId, parts }) => (parts === '' ? [] : parts.split(',').map((cursor) => `${taskId}@${cursor}`))).join(',');
}

/**
 * Reads it: the part cursors of each task, with commas between. Undefined for more than {@link PART_CURSORS_MAX}, and for one without an id or an `@`. Whether
 * a cursor is one is not looked at.
 */
export function readTaskParts(text: string): ReadonlyMap<string, string> | undefined {
  const byTask = new Map<string, string>();
  const items = text === '' ? [] : text.split(',', PART_CURSORS_MAX + 1);
  for (const item of items) {
    const at = item.lastIndexOf('@');
    if (at <= 0) return undefined;
    const [taskId, cursor] = [item.slice(0, at), item.slice(at + 1)];
    const before = byTask.get(taskId);
    byTask.set(taskId, before === undefined ? cursor : `${before},${cursor}`);
  }
  return items.length > PART_CURSORS_MAX ? undefined : byTask;
}
