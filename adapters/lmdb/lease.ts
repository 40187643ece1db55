import type { HeldPage, Lease } from '../../server/ports/index.ts';
import type { Rows } from './head.ts';
import { after, entryOf, holdsOf, startsWith, taskIdOf, type RowKey } from './keys.ts';

// One process has the store, and knows of itself that it lives: no node writes a sign of life. Whoever holds something has a lease with beat 0,
// and nobody else has one.

/** The leases of all nodes that hold something: one step each, however much they hold. */
export function readLeases(rows: Rows): Lease[] {
  const leases: Lease[] = [];
  let first = firstOf(rows, holdsOf());
  while (first && startsWith(first, holdsOf())) {
    const node = String(first[1]);
    leases.push({ bucket: '', node, beat: 0 });
    first = firstOf(rows, after(holdsOf(node)));
  }
  return leases;
}

/** True where a lease stands as it was seen. */
export function isAsSeen(rows: Rows, { bucket, node, beat }: Lease): boolean {
  const first = firstOf(rows, holdsOf(node));
  return bucket === '' && beat === 0 && first !== undefined && startsWith(first, holdsOf(node));
}

/** Tasks that a node holds, after the one that the last page ended with. */
export function readHeld(rows: Rows, node: string, limit: number, last: string | undefined): HeldPage {
  const taskIds: string[] = [];
  for (const entry of rows.getKeys({ start: last === undefined ? holdsOf(node) : entryOf(holdsOf(node), last) })) {
    if (!startsWith(entry, holdsOf(node))) break;
    if (taskIds.length === limit) return { taskIds, next: taskIds.at(-1) };
    if (taskIdOf(entry) !== last) taskIds.push(taskIdOf(entry));
  }
  return { taskIds, next: undefined };
}

function firstOf(rows: Rows, start: RowKey): RowKey | undefined {
  for (const key of rows.getKeys({ start, limit: 1 })) return key;
  return undefined;
}
