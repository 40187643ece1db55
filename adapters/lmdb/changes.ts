import { parseEventId, type EventId } from '../../machines/wire/index.ts';
import type { Commit, Created, Fields, NewTask } from '../../server/ports/index.ts';
import { laneConflict, refuseBrokenCommit } from '../memory/index.ts';
import type { Head, Rows } from './head.ts';
import type { HeadCache } from './head-cache.ts';
import { changeLanes, lanesBefore, needOpenLane, lanesUntouched } from './lane-rows.ts';
import { isAsSeen } from './lease.ts';
import {
  factKey,
  factsFrom,
  fieldKey,
  headKey,
  idKey,
  isFactOf,
  ownerMarkOf,
  sideValueKey,
  requestRowKey,
  startsWith,
  taskFrom,
  type RowKey,
} from './keys.ts';
import { namedAt, nameNewTask, nameTask, unnameTask } from './names.ts';
import { readOldTask } from './first-form.ts';
import { readRecord, writeRecord } from './owner-record.ts';
import { entriesOf, kindOf, moveEntries, replan } from './plan.ts';
import { fullShareOf, withChange } from './shares.ts';
import { moveState } from './states.ts';
import type { WriteDecision } from './writer.ts';

/** Where writes are made: inside a transaction of the writer. */
export interface WrittenRows {
  readonly rows: Rows;
  readonly heads: HeadCache;
}

/** What {@link writeNewTask} did. */
export interface Written {
  readonly created: Created;
  /** The entries by which the task is found from now on. */
  readonly entries: readonly RowKey[];
}

/** Gives the store its id, or says which one it has. */
export function identify(rows: Rows, drawn: string): WriteDecision<string> {
  const known = rows.get(idKey)?.toString();
  return known === undefined ? { result: drawn, change: () => void rows.putSync(idKey, Buffer.from(drawn)) } : { result: known };
}

/** Creates a task with its name, or says which one has its request key, or what its owner has enough of. Inside a transaction only, like all verbs here. */
export function writeNewTask({ rows, heads }: WrittenRows, task: NewTask, now: number): WriteDecision<Written> {
  const { taskId, requestKey, owner, taskType, fields, sideValues, plan, state } = task;
  const known = rows.get(requestRowKey(requestKey));
  if (known) return { result: { created: { created: false, taskId: known.toString() }, entries: [] } };
  if (rows.doesExist(headKey(taskId))) {
    throw new Error(`Task ${taskId} exists already under another request key. Draw another task id.`);
  }
  const record = readRecord(rows, owner);
  const full = fullShareOf(record, task);
  if (full) return { result: { created: { created: false, full }, entries: [] } };
  const standing = { plan, kind: { taskType, ownerMark: ownerMarkOf(owner) }, turn: null };
  const entries = entriesOf(taskId, standing);
  return {
    result: { created: { created: true }, entries },
    change: () => {
      rows.putSync(requestRowKey(requestKey), Buffer.from(taskId));
      const head = {
        requestKey,
        revision: 1,
        standing,
        state: { name: state, since: now },
        firstRetained: 1,
        lastEventId: null,
        ended: false,
      };
      heads.write(taskId, head, entries);
      putFields(rows, taskId, fields, sideValues);
      moveEntries(rows, taskId, undefined, standing);
      moveState(rows, taskId, undefined, head);
      nameNewTask(rows, owner, requestKey, now);
      const counted = withChange(record, task.adds, now);
      if (counted !== record) writeRecord(rows, counted);
    },
  };
}

/** What `appendCommit` did. */
export interface Appended {
  readonly answer: 'committed' | 'conflict' | 'lease changed';
  /** The newest fact before. */
  readonly before: EventId | null;
  /** The entries by which the task is found from now on. */
  readonly entries: readonly RowKey[];
}

const conflict: WriteDecision<Appended> = { result: { answer: 'conflict', before: null, entries: [] } };

/** Applies a commit where its revision is the task's, and the lease that it names stands. */
export function appendCommit({ rows, heads }: WrittenRows, commit: Commit, now: number): WriteDecision<Appended> {
  const { taskId, facts, ifLease, lanes } = commit;
  const known = heads.read(taskId);
  if (known?.head.revision !== commit.expectedRevision) return conflict;
  const { head } = known;
  if (ifLease && !isAsSeen(rows, ifLease)) return { result: { answer: 'lease changed', before: null, entries: [] } };
  refuseBrokenCommit(commit, head, lanes || commit.ended ? lanesBefore(rows, taskId) : lanesUntouched);
  if (lanes && laneConflict(lanes, (lane) => needOpenLane(rows, taskId, lane))) return conflict;
  const standing = replan(rows, taskId, head, commit.plan);
  const entries = standing === head.standing ? known.entries : entriesOf(taskId, standing);
  return {
    result: { answer: 'committed', before: head.lastEventId, entries },
    change: () => {
      const next = headAfter(head, commit, standing, now);
      heads.write(taskId, next, entries);
      for (const { eventId, bytes } of facts) rows.putSync(factKey(taskId, numberOf(eventId), eventId), asBuffer(bytes));
      if (next.firstRetained > head.firstRetained) dropFacts(rows, taskId, head, next.firstRetained);
      putFields(rows, taskId, commit.fields, commit.sideValues);
      if (standing !== head.standing) moveEntries(rows, taskId, head.standing, standing);
      if (next.state !== head.state || standing !== head.standing) moveState(rows, taskId, head, next);
      if (lanes) changeLanes(rows, taskId, lanes);
      if ('dueAt' in head.standing) nameOldTask(rows, taskId, head.requestKey);
    },
  };
}

function headAfter(head: Head, { facts, firstRetained, state, ended }: Commit, standing: Head['standing'], now: number): Head {
  const lastEventId = facts.at(-1)?.eventId ?? head.lastEventId;
  return {
    requestKey: head.requestKey,
    revision: head.revision + 1,
    standing,
    state: state === undefined || state === head.state?.name ? head.state : { name: state, since: now },
    firstRetained: Math.min(Math.max(head.firstRetained, firstRetained), numberOf(lastEventId) + 1),
    lastEventId,
    ended: head.ended || ended,
  };
}

/** Deletes all rows of a task, its request key and its name. */
export function removeTask(
  { rows, heads }: WrittenRows,
  taskId: string,
  requestKey: string,
  expectedRevision: number,
): WriteDecision<'removed' | 'conflict'> {
  const head = heads.read(taskId)?.head;
  if (head?.revision !== expectedRevision) return { result: 'conflict' };
  // Read before its rows are gone.
  const kind = kindOf(rows, taskId, head.standing);
  return {
    result: 'removed',
    change: () => {
      heads.remove(taskId);
      for (const key of keysFrom(rows, taskFrom(taskId), (each) => startsWith(each, taskFrom(taskId)))) rows.removeSync(key);
      moveEntries(rows, taskId, head.standing, undefined);
      moveState(rows, taskId, head, undefined);
      if (rows.get(requestRowKey(requestKey))?.toString() !== taskId) return;
      rows.removeSync(requestRowKey(requestKey));
      if (kind) unnameTask(rows, kind.ownerMark, requestKey);
    },
  };
}

/** 0.1.0 had no lists of owners: a task comes into one with the first commit since. */
function nameOldTask(rows: Rows, taskId: string, requestKey: string): void {
  const old = readOldTask(rows, taskId);
  if (old && namedAt(rows, ownerMarkOf(old.owner), requestKey) === undefined) nameTask(rows, old.owner, { requestKey, at: old.createdAt });
}

function putFields(rows: Rows, taskId: string, fields: Fields, sideValues: Fields): void {
  for (const name of Object.keys(fields)) rows.putSync(fieldKey(taskId, name), Buffer.from(fields[name] ?? ''));
  for (const [name, value] of Object.entries(sideValues)) rows.putSync(sideValueKey(taskId, name), Buffer.from(value));
}

function dropFacts(rows: Rows, taskId: string, { firstRetained }: Head, next: number): void {
  const isDropped = (key: RowKey): boolean => isFactOf(taskId, key) && Number(key[3]) < next;
  for (const key of keysFrom(rows, factsFrom(taskId, firstRetained), isDropped)) rows.removeSync(key);
}

/** The run of keys that a test accepts, collected before anything is deleted under the cursor. */
function keysFrom(rows: Rows, start: RowKey, accepts: (key: RowKey) => boolean): RowKey[] {
  const keys: RowKey[] = [];
  for (const key of rows.getKeys({ start })) {
    if (!accepts(key)) break;
    keys.push(key);
  }
  return keys;
}

function numberOf(eventId: EventId | null): number {
  return eventId === null ? 0 : (parseEventId(eventId)?.n ?? 0);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
