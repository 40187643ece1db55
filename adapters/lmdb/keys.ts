import type { EventId } from '../../machines/wire/index.ts';
import type { DueTask } from '../../server/ports/index.ts';

/**
 * A key is a list that sorts element by element, numbers by value. One task's rows lie side by side:
 *
 *     i                        the id of the store
 *     o                        the process that owns the store
 *     r  requestKey            task id
 *     d  dueAt     taskId      nothing: the key says it all
 *     t  taskId  h             the head, as JSON
 *     t  taskId  f  name       a field
 *     t  taskId  k  name       a side value
 *     t  taskId  l  n  id      a fact's bytes
 */
export type RowKey = (string | number)[];

export const idKey: RowKey = ['i'];

export const ownerKey: RowKey = ['o'];

export function requestRowKey(requestKey: string): RowKey {
  return ['r', requestKey];
}

export function dueKey({ dueAt, taskId }: DueTask): RowKey {
  return ['d', dueAt, taskId];
}

/** The start of all due times, or of those after a position. */
export function dueFrom(after: DueTask | undefined): RowKey {
  return after ? dueKey(after) : ['d'];
}

/** The start of everything of a task. */
export function taskFrom(taskId: string): RowKey {
  return ['t', taskId];
}

export function headKey(taskId: string): RowKey {
  return ['t', taskId, 'h'];
}

/** A field, or without a name the start of all fields. */
export function fieldKey(taskId: string, name?: string): RowKey {
  return name === undefined ? ['t', taskId, 'f'] : ['t', taskId, 'f', name];
}

export function sideValueKey(taskId: string, name: string): RowKey {
  return ['t', taskId, 'k', name];
}

export function factKey(taskId: string, n: number, eventId: EventId): RowKey {
  return ['t', taskId, 'l', n, eventId];
}

/** The start of a task's facts from the `n`th on. */
export function factsFrom(taskId: string, n: number): RowKey {
  return ['t', taskId, 'l', n];
}

/** True while a key begins with all of a prefix. */
export function startsWith(key: RowKey, prefix: RowKey): boolean {
  return prefix.every((part, at) => key[at] === part);
}

/** True for the keys of a task's facts. */
export function isFactOf(taskId: string, key: RowKey): boolean {
  return key[0] === 't' && key[1] === taskId && key[2] === 'l';
}
