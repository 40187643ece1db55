import type { WrittenRows } from './changes.ts';
import type { Rows } from './head.ts';
import { queueOf, placeOf, startsWith, taskIdOf, type RowKey } from './keys.ts';
import { entriesOf, hasEntry, moveEntries, readyTime } from './plan.ts';
import { enterFirst, enterQueue } from './turns.ts';
import type { WriteDecision } from './writer.ts';

/**
 * Moves tasks whose work is wanted by now to the queue of their type, in the order in which they are given; and drops entries that
 * say something else than their tasks. Gives the entries that are new.
 *
 * @param lastTaken by type, the last turn that was taken since the store was opened.
 */
export function moveWanted(
  written: WrittenRows,
  entries: readonly RowKey[],
  now: number,
  lastTaken: ReadonlyMap<string, number>,
): WriteDecision<readonly RowKey[]> {
  const result: RowKey[] = [];
  return {
    result,
    change: () => {
      for (const entry of entries) result.push(...moveOne(written, entry, now, lastTaken));
    },
  };
}

function moveOne({ rows, heads }: WrittenRows, entry: RowKey, now: number, lastTaken: ReadonlyMap<string, number>): RowKey[] {
  const taskId = taskIdOf(entry);
  const head = heads.read(taskId)?.head;
  if (!head || !hasEntry(taskId, head.standing, entry)) {
    rows.removeSync(entry);
    return [];
  }
  const { standing } = head;
  // It may have been planned anew since it was found.
  if (!('plan' in standing) || !standing.kind || standing.turn !== null || readyTime(standing) > now) return [];
  const { taskType } = standing.kind;
  const enter = readyTime(standing) === 0 ? enterFirst : enterQueue;
  const next = { ...standing, turn: enter(rows, standing.kind, lastTaken.get(taskType) ?? firstTurn(rows, taskType) - 1) };
  const moved = entriesOf(taskId, next);
  heads.write(taskId, { ...head, standing: next }, moved);
  moveEntries(rows, taskId, standing, next);
  return moved;
}

/** All before it were taken, by this process or another one before it. */
function firstTurn(rows: Rows, taskType: string): number {
  for (const key of rows.getKeys({ start: queueOf(taskType), limit: 1 })) if (startsWith(key, queueOf(taskType))) return placeOf(key);
  return 1;
}
