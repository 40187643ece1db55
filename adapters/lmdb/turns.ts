import type { Kind, Rows } from './head.ts';
import { turnsKey } from './keys.ts';

/** What waits in the queue of a type for one owner. */
interface Waiting {
  readonly count: number;
  /** The last turn of his tasks. */
  readonly last: number;
}

/** Gives an owner his next turn in the queue of a type, behind his last one and behind the last that was taken. Inside a transaction only. */
export function enterQueue(rows: Rows, kind: Kind, lastTaken: number): number {
  const { count, last } = readWaiting(rows, kind);
  const turn = Math.max(last, lastTaken) + 1;
  writeWaiting(rows, kind, { count: count + 1, last: turn });
  return turn;
}

/** Counts one more task of an owner, which comes before all that wait. Inside a transaction only. */
export function enterFirst(rows: Rows, kind: Kind, lastTaken: number): number {
  const { count, last } = readWaiting(rows, kind);
  writeWaiting(rows, kind, { count: count + 1, last });
  // Whoever waits has a later one.
  return Math.max(0, lastTaken);
}

/** Counts one task of an owner less. Nothing is held against him once none waits. */
export function leaveQueue(rows: Rows, kind: Kind): void {
  const { count, last } = readWaiting(rows, kind);
  if (count > 1) writeWaiting(rows, kind, { count: count - 1, last });
  else rows.removeSync(turnsKey(kind.taskType, kind.ownerMark));
}

function readWaiting(rows: Rows, { taskType, ownerMark }: Kind): Waiting {
  const row = rows.get(turnsKey(taskType, ownerMark));
  // Written below only.
  return row ? (JSON.parse(row.toString()) as Waiting) : { count: 0, last: 0 };
}

function writeWaiting(rows: Rows, { taskType, ownerMark }: Kind, waiting: Waiting): void {
  rows.putSync(turnsKey(taskType, ownerMark), Buffer.from(JSON.stringify(waiting)));
}
