import type { Head, Kind, OldStanding, Rows, Standing } from './head.ts';
import { clock, entryOf, holdsOf, oldClock, ownerMarkOf, queueOf, wantedLater, type RowKey } from './keys.ts';
import { readOldTask } from './first-form.ts';
import { leaveQueue } from './turns.ts';

/** What an entry of a list holds: LMDB wants a value, its key says it all. */
export const NOTHING = Buffer.alloc(1);
/** The last time of a date. 0.1.0 took leases up to it where one process owned the store, and that process is gone. */
const LAST_DATE = 8_640_000_000_000_000;

/** The entries by which a task is found for what it waits for. */
export function entriesOf(taskId: string, standing: Standing | OldStanding): RowKey[] {
  if ('dueAt' in standing) return standing.dueAt === null ? [] : [entryOf(oldClock, standing.dueAt, taskId)];
  const { plan, kind, turn } = standing;
  const entries: RowKey[] = [];
  const [due, ready] = [dueTime(standing), readyTime(standing)];
  if (Number.isFinite(due)) entries.push(entryOf(clock, due, taskId));
  if (kind && Number.isFinite(ready))
    entries.push(turn === null ? entryOf(wantedLater, ready, taskId) : entryOf(queueOf(kind.taskType), turn, taskId));
  if (plan.work && 'heldBy' in plan.work && plan.work.until === undefined) entries.push(entryOf(holdsOf(plan.work.heldBy), taskId));
  return entries;
}

/** True where a task stands under an entry. */
export function hasEntry(taskId: string, standing: Standing | OldStanding, entry: RowKey): boolean {
  return isAmong(entriesOf(taskId, standing), entry);
}

/** When any node has to look at the task; infinite for never. Work of an unknown kind is in no queue, so that it is looked at when it is wanted. */
export function dueTime({ plan: { wakeAt, work }, kind }: Standing): number {
  const times = [wakeAt ?? Number.POSITIVE_INFINITY];
  if (work && 'heldBy' in work && work.until !== undefined) times.push(work.until < LAST_DATE ? work.until : 0);
  if (work && 'readyAt' in work && !kind) times.push(work.readyAt);
  return Math.min(...times);
}

/** When its work is wanted; infinite for never. */
export function readyTime({ plan: { work } }: Standing): number {
  return work && 'readyAt' in work ? work.readyAt : Number.POSITIVE_INFINITY;
}

/** What work a task is, and whose; null where nobody has said it. */
export function kindOf(rows: Rows, taskId: string, standing: Standing | OldStanding): Kind | null {
  if ('kind' in standing) return standing.kind;
  const old = readOldTask(rows, taskId);
  return old && { taskType: old.taskType, ownerMark: ownerMarkOf(old.owner) };
}

/** Where a task stands after a commit: where it stood, if the plan is the same. Work that goes on waiting for the same time keeps its turn. */
export function replan(rows: Rows, taskId: string, { standing }: Head, plan: Standing['plan']): Standing {
  if ('plan' in standing && isSamePlan(standing.plan, plan)) return standing;
  if ('dueAt' in standing) return { plan, kind: kindOf(rows, taskId, standing), turn: null };
  const next = { plan, kind: standing.kind, turn: null };
  return Number.isFinite(readyTime(next)) && readyTime(next) === readyTime(standing) ? { ...next, turn: standing.turn } : next;
}

/** As most reports leave it. Work that waits need not be told apart. */
function isSamePlan(one: Standing['plan'], other: Standing['plan']): boolean {
  if (one.wakeAt !== other.wakeAt) return false;
  if (one.work === null || other.work === null) return one.work === other.work;
  return 'heldBy' in one.work && 'heldBy' in other.work && one.work.heldBy === other.work.heldBy && one.work.until === other.work.until;
}

/** Moves a task from one standing to another; undefined for one that is not there. Inside a transaction only. */
export function moveEntries(rows: Rows, taskId: string, from: Standing | OldStanding | undefined, to: Standing | undefined): void {
  const before = from ? entriesOf(taskId, from) : [];
  const next = to ? entriesOf(taskId, to) : [];
  for (const key of before) if (!isAmong(next, key)) rows.removeSync(key);
  for (const key of next) if (!isAmong(before, key)) rows.putSync(key, NOTHING);
  if (from && 'turn' in from && from.turn !== null && from.kind && to?.turn !== from.turn) leaveQueue(rows, from.kind);
}

function isAmong(entries: readonly RowKey[], entry: RowKey): boolean {
  return entries.some((each) => each.length === entry.length && each.every((part, at) => part === entry[at]));
}
