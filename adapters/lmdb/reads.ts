import type { Entry, LogPage } from '../../server/ports/index.ts';
import type { EventId } from '../../machines/wire/index.ts';
import { readHead, type Rows } from './head.ts';
import { factsFrom, fieldKey, isFactOf, startsWith } from './keys.ts';

// Nothing here awaits: within one turn all reads see the same commit.

/** All fields of a task. */
export function readFields(rows: Rows, taskId: string): Record<string, string> {
  const fields: [string, string][] = [];
  for (const { key, value } of rows.getRange({ start: fieldKey(taskId) })) {
    if (!startsWith(key, fieldKey(taskId))) break;
    fields.push([String(key[3]), value.toString()]);
  }
  return Object.fromEntries(fields);
}

/** A run of a task's log; undefined for an unknown task. */
export function readPage(
  rows: Rows,
  taskId: string,
  from: number,
  limit: { readonly facts: number; readonly bytes: number },
): LogPage | undefined {
  const head = readHead(rows, taskId);
  if (!head) return undefined;
  return {
    entries: takeEntries(rows, taskId, Math.max(from, head.firstRetained), limit),
    firstEventId: firstEventId(rows, taskId, head.firstRetained),
    lastEventId: head.lastEventId,
    ended: head.ended,
  };
}

function takeEntries(rows: Rows, taskId: string, from: number, limit: { readonly facts: number; readonly bytes: number }): Entry[] {
  const entries: Entry[] = [];
  let bytes = 0;
  for (const { key, value } of rows.getRange({ start: factsFrom(taskId, from), limit: limit.facts })) {
    if (!isFactOf(taskId, key)) break;
    bytes += value.length;
    if (entries.length > 0 && bytes > limit.bytes) break;
    entries.push({ eventId: key[4] as EventId, bytes: value });
  }
  return entries;
}

function firstEventId(rows: Rows, taskId: string, firstRetained: number): EventId | null {
  for (const key of rows.getKeys({ start: factsFrom(taskId, firstRetained), limit: 1 })) {
    if (isFactOf(taskId, key)) return key[4] as EventId;
  }
  return null;
}
