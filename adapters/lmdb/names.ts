import type { Name } from '../../server/ports/index.ts';
import type { Rows } from './head.ts';
import { after, entryOf, namedAtKey, namesOf, ownerMarkOf, placeOf, taskIdOf } from './keys.ts';
import { dropUncounted, keepOwner } from './owner-record.ts';
import { NOTHING } from './plan.ts';
import { keysInSlices } from './page-reads.ts';
import type { WriteDecision } from './writer.ts';

/** The smallest step that today's milliseconds have. */
const STEP_MS = 1 / 4096;

/** When a task was named; undefined where it is not. */
export function namedAt(rows: Rows, ownerMark: string, requestKey: string): number | undefined {
  const row = rows.get(namedAtKey(ownerMark, requestKey));
  // Written below only.
  return row && (JSON.parse(row.toString()) as number);
}

/** Names a task that has no name. Inside a transaction only. */
export function nameTask(rows: Rows, owner: string, { requestKey, at }: Name): void {
  const ownerMark = ownerMarkOf(owner);
  rows.putSync(namedAtKey(ownerMark, requestKey), Buffer.from(JSON.stringify(at)));
  rows.putSync(entryOf(namesOf(ownerMark), at, requestKey), NOTHING);
  keepOwner(rows, owner);
}

/** Names a task that is new. A name that its request key left behind goes, and whoever means to forget that one forgets nothing. */
export function nameNewTask(rows: Rows, owner: string, requestKey: string, now: number): void {
  const ownerMark = ownerMarkOf(owner);
  const before = namedAt(rows, ownerMark, requestKey);
  if (before !== undefined) dropName(rows, ownerMark, { requestKey, at: before });
  nameTask(rows, owner, { requestKey, at: before === undefined ? now : Math.max(now, before + STEP_MS) });
}

/** Takes a task out of its owner's list. Inside a transaction only. */
export function unnameTask(rows: Rows, ownerMark: string, requestKey: string): void {
  const at = namedAt(rows, ownerMark, requestKey);
  if (at === undefined) return;
  dropName(rows, ownerMark, { requestKey, at });
  dropUncounted(rows, ownerMark);
}

/** Drops a name as it was seen. */
export function forgetName(rows: Rows, owner: string, { requestKey, at }: Name): WriteDecision<void> {
  const ownerMark = ownerMarkOf(owner);
  if (namedAt(rows, ownerMark, requestKey) !== at) return { result: undefined };
  return { result: undefined, change: () => unnameTask(rows, ownerMark, requestKey) };
}

/** The names of an owner's tasks, newest first. */
export async function readNames(rows: Rows, owner: string, limit: number, last: Name | undefined): Promise<Name[]> {
  const list = namesOf(ownerMarkOf(owner));
  const start = last ? entryOf(list, last.at, last.requestKey) : after(list);
  const keys = await keysInSlices(rows, { start, end: list, reverse: true }, limit);
  return keys.map((key) => ({ requestKey: taskIdOf(key), at: placeOf(key) }));
}

function dropName(rows: Rows, ownerMark: string, { requestKey, at }: Name): void {
  rows.removeSync(namedAtKey(ownerMark, requestKey));
  rows.removeSync(entryOf(namesOf(ownerMark), at, requestKey));
}
