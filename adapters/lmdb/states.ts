import type { Listed, OwnerRegistry } from '../../server/ports/index.ts';
import type { Head, Rows } from './head.ts';
import { after, entryOf, placeOf, startsWith, tasksIn, taskIdOf, type RowKey } from './keys.ts';
import { NOTHING } from './plan.ts';
import { keysInSlices, nextTurn } from './page-reads.ts';

type Counts = Awaited<ReturnType<OwnerRegistry['counts']>>;

/** Keys that LMDB itself passes in one turn of the event loop: less than a millisecond. */
const PASSED_AT_ONCE = 2000;

/** Where a task stands among those of its state; nowhere while nobody has said what it is. */
export function stateEntry(taskId: string, { standing, state }: Pick<Head, 'standing' | 'state'>): RowKey | undefined {
  const kind = 'kind' in standing ? standing.kind : null;
  return state && kind ? entryOf(tasksIn(state.name, kind.taskType), state.since, taskId) : undefined;
}

/** Lists a task as its head says; undefined for one that is not there. Inside a transaction only. */
export function moveState(rows: Rows, taskId: string, from: Head | undefined, to: Head | undefined): void {
  const before = from && stateEntry(taskId, from);
  const next = to && stateEntry(taskId, to);
  if (before && next && startsWith(before, next)) return;
  if (before) rows.removeSync(before);
  if (next) rows.putSync(next, NOTHING);
}

/** Tasks of a state and a type, those first that came first. */
export async function readInState(rows: Rows, list: RowKey, limit: number, last: Listed | undefined): Promise<Listed[]> {
  const start = last ? entryOf(list, last.since, last.taskId) : list;
  const keys = await keysInSlices(rows, { start, end: after(list) }, limit);
  return keys.map((key) => ({ taskId: taskIdOf(key), since: placeOf(key) }));
}

/** How many tasks there are of each state and type. LMDB passes them without giving them: 0.4 µs each. */
export async function countStates(rows: Rows): Promise<Counts> {
  const counts: Counts[number][] = [];
  for (let first = nextKey(rows, tasksIn(), 0); first;) {
    const [, state, taskType] = first.map(String) as [string, string, string];
    const list = tasksIn(state, taskType);
    counts.push({ state, taskType, count: await countOf(rows, list) });
    first = nextKey(rows, after(list), 0);
  }
  return counts;
}

async function countOf(rows: Rows, list: RowKey): Promise<number> {
  let count = 0;
  let start = list;
  for (;;) {
    const next = nextKey(rows, start, PASSED_AT_ONCE, list);
    if (!next) return count + rows.getKeysCount({ start, end: after(list) });
    count += PASSED_AT_ONCE;
    start = next;
    await nextTurn();
  }
}

/** The key so many places on, within a list. */
function nextKey(rows: Rows, start: RowKey, offset: number, list = tasksIn()): RowKey | undefined {
  for (const key of rows.getKeys({ start, end: after(list), offset, limit: 1 })) return key;
  return undefined;
}
