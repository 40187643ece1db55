import { createHash } from 'node:crypto';
import type { EventId } from '../../machines/wire/index.ts';

/**
 * A key is a list that sorts element by element, numbers by value. One task's rows lie side by side:
 *
 *     a  owner  requestKey     when that task was named, as JSON
 *     b  owner  at  requestKey nothing: it belongs to him since then
 *     i                        the id of the store
 *     m                        how far the tasks of 0.1.0 were named
 *     o                        the process that owns the store
 *     v                        the layout, see `layout.ts`
 *     r  requestKey            task id
 *     c  time      taskId      nothing: somebody has to look at it then
 *     s  time      taskId      nothing: its work is wanted from then on
 *     q  type  turn  taskId    nothing: its work is wanted now
 *     y  type  owner           how many of his tasks are in `q`, and the last turn among them
 *     n  node      taskId      nothing: that node holds it
 *     d  dueAt     taskId      nothing: form 1, which is read and not written; its tasks have no other row of these
 *     p  state  type  since  taskId   nothing: its public state
 *     t  taskId  c  lane       a lane that is closed and keeps its bytes, as JSON
 *     t  taskId  h             the head, as JSON
 *     t  taskId  f  name       a field
 *     t  taskId  k  name       a side value
 *     t  taskId  l  n  id      a fact's bytes
 *     t  taskId  o  lane       a lane that is open, and its fence, as JSON
 *     t  taskId  p  lane  at   bytes of that lane from that place on; of one whose value is replaced the value, by the version before
 *     u  owner                 what he has, counted, as JSON
 *
 * An `owner` is his mark, see {@link ownerMarkOf}. What is compared with a task stands before `t`, so that a check passes all rows once.
 */
export type RowKey = (string | number)[];

export const idKey: RowKey = ['i'];
export const backfillKey: RowKey = ['m'];

export const ownerKey: RowKey = ['o'];
export const layoutKey: RowKey = ['v'];

/** Tasks that somebody has to look at, by time. */
export const clock: RowKey = ['c'];
/** The same as 0.1.0 wrote them. */
export const oldClock: RowKey = ['d'];
/** Tasks whose work is wanted later, by time. */
export const wantedLater: RowKey = ['s'];

/** After all numbers and all ids, at their place in a key. */
export const LAST = '~';

/** The task of a request; without a key the start of all of them. */
export function requestRowKey(requestKey?: string): RowKey {
  return requestKey === undefined ? ['r'] : ['r', requestKey];
}

/** Those whose work is wanted, by turn; without a type the start of all of them. */
export function queueOf(taskType?: string): RowKey {
  return taskType === undefined ? ['q'] : ['q', taskType];
}

/** An owner among those who wait for a type. */
export function turnsKey(taskType: string, ownerMark: string): RowKey {
  return ['y', taskType, ownerMark];
}

/** What an owner has; without a mark the start of all of them. */
export function recordKey(ownerMark?: string): RowKey {
  return ownerMark === undefined ? ['u'] : ['u', ownerMark];
}

/** When a task was named. */
export function namedAtKey(ownerMark: string, requestKey: string): RowKey {
  return ['a', ownerMark, requestKey];
}

/** The names of an owner's tasks, by time. */
export function namesOf(ownerMark: string): RowKey {
  return ['b', ownerMark];
}

/** Tasks of a state and a type, by the time when they came there; without both the start of all. */
export function tasksIn(state?: string, taskType?: string): RowKey {
  return state === undefined || taskType === undefined ? ['p'] : ['p', state, taskType];
}

/** Owners whose marks are kept at hand: each is asked for several times with every task. */
const MARKS_MAX = 1000;
const markOf = new Map<string, string>();

/** What a key has of an owner: a subject may be longer than a key. */
export function ownerMarkOf(owner: string): string {
  const known = markOf.get(owner);
  if (known !== undefined) return known;
  if (markOf.size >= MARKS_MAX) markOf.clear();
  const mark = createHash('sha256').update(owner).digest('base64url').slice(0, 22);
  markOf.set(owner, mark);
  return mark;
}

/** Those that a node holds; without a node the start of all holds. */
export function holdsOf(node?: string): RowKey {
  return node === undefined ? ['n'] : ['n', node];
}

/** An entry of a list of tasks. */
export function entryOf(list: RowKey, ...place: readonly [taskId: string] | readonly [position: number, taskId: string]): RowKey {
  return [...list, ...place];
}

/** The task of an entry. */
export function taskIdOf(entry: RowKey): string {
  return String(entry.at(-1));
}

/** The time or turn of an entry, of all lists but those of holds. */
export function placeOf(entry: RowKey): number {
  return Number(entry.at(-2));
}

/** The first key after all that begin with a list of its own kind. */
export function after(list: RowKey): RowKey {
  return [...list, LAST];
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

/** An open lane, or without one the start of all of a task. */
export function openLaneKey(taskId: string, lane?: EventId): RowKey {
  return lane === undefined ? ['t', taskId, 'o'] : ['t', taskId, 'o', lane];
}

export function closedLaneKey(taskId: string, lane: EventId): RowKey {
  return ['t', taskId, 'c', lane];
}

/** Bytes of a lane from a place on; without one the start of all of them. */
export function laneBytesKey(taskId: string, lane: EventId, at?: number): RowKey {
  return at === undefined ? ['t', taskId, 'p', lane] : ['t', taskId, 'p', lane, at];
}

/** True while a key begins with all of a prefix. */
export function startsWith(key: RowKey, prefix: RowKey): boolean {
  return prefix.every((part, at) => key[at] === part);
}

/** True for the keys of a task's facts. */
export function isFactOf(taskId: string, key: RowKey): boolean {
  return key[0] === 't' && key[1] === taskId && key[2] === 'l';
}
