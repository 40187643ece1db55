import { shareNames, type Clock, type Name, type NewTask, type OwnerRegistry, type Shares } from '../../server/ports/index.ts';
import type { Memory, OwnerRow } from './memory.ts';
import { compareTexts, Ranking } from './ranking.ts';

const nothing: Shares = { active: 0, waiting: 0, questions: 0, tasks: 0, bytes: 0 };

/** What an owner has. */
export function ownerRegistryOf(needOpen: () => Memory, clock: Clock): Omit<OwnerRegistry, 'inState' | 'counts'> {
  return {
    async names(owner, limit, after) {
      return needOpen().owners.get(owner)?.names.page(limit, after) ?? [];
    },

    async glance(requestKeys, fieldNames) {
      const { requests, tasks } = needOpen();
      return requestKeys.map((requestKey) => {
        const task = tasks.get(requests.get(requestKey) ?? '');
        if (!task) return undefined;
        const { taskId, state, plan } = task;
        const fields = fieldNames.flatMap((name) => {
          const json = task.fields.get(name);
          return json === undefined ? [] : [[name, json] as const];
        });
        return { taskId, state, plan, fields: Object.fromEntries(fields) };
      });
    },

    async forget(owner, { requestKey, at }) {
      const memory = needOpen();
      if (memory.owners.get(owner)?.namedAt.get(requestKey) === at) unnameTask(memory, owner, requestKey);
    },

    async count(changes) {
      const memory = needOpen();
      return changes.map(({ owner, by, name }) => {
        if (name && !memory.owners.get(owner)?.namedAt.has(name.requestKey)) nameTask(memory, owner, name);
        addToOwner(memory, owner, by);
        return memory.owners.get(owner)?.shares ?? nothing;
      });
    },

    async shares(owner) {
      const { shares = nothing, version = 0, countedAt = 0 } = needOpen().owners.get(owner) ?? {};
      return { shares, version, countedAt };
    },

    async setShares(owner, shares, ifVersion) {
      const memory = needOpen();
      const version = memory.owners.get(owner)?.version ?? 0;
      if (version !== ifVersion) return false;
      const row = rowOf(memory, owner);
      if (row.names.size === 0 && shareNames.every((share) => shares[share] === 0)) memory.owners.delete(owner);
      else Object.assign(row, { shares: { ...shares }, version: version + 1, countedAt: clock.now() });
      return true;
    },

    async owners(limit, after = '0') {
      const start = Number(after);
      const all = [...needOpen().owners.keys()];
      const end = start + limit;
      // One that goes meanwhile moves the others by a place: whoever looks at everybody looks again another day.
      return { owners: all.slice(start, end), next: end < all.length ? String(end) : undefined };
    },
  };
}

/** The first share of which the owner of a task would have more than he may, if there is one. */
export function fullShareOf({ owners }: Memory, { owner, adds, sharesMax }: NewTask): keyof Shares | undefined {
  const { shares = nothing } = owners.get(owner) ?? {};
  return shareNames.find((share) => {
    const added = adds[share] ?? 0;
    return added > 0 && shares[share] + added > (sharesMax[share] ?? Number.POSITIVE_INFINITY);
  });
}

/** Changes the counts of an owner. */
export function addToOwner(memory: Memory, owner: string, by: Partial<Shares>): void {
  const changed = shareNames.filter((share) => (by[share] ?? 0) !== 0);
  if (changed.length === 0) return;
  const row = rowOf(memory, owner);
  row.shares = { ...row.shares, ...Object.fromEntries(changed.map((share) => [share, Math.max(0, row.shares[share] + (by[share] ?? 0))])) };
  row.version += 1;
}

/** Enters a task in its owner's list. */
export function nameTask(memory: Memory, owner: string, name: Name): void {
  const { names, namedAt } = rowOf(memory, owner);
  unnameTask(memory, owner, name.requestKey);
  names.add(name);
  namedAt.set(name.requestKey, name.at);
}

/** Takes a task out of its owner's list. */
export function unnameTask({ owners }: Memory, owner: string, requestKey: string): void {
  const row = owners.get(owner);
  const at = row?.namedAt.get(requestKey);
  if (!row || at === undefined) return;
  row.names.remove({ requestKey, at });
  row.namedAt.delete(requestKey);
}

function rowOf({ owners }: Memory, owner: string): OwnerRow {
  const known = owners.get(owner);
  if (known) return known;
  const row = { namedAt: new Map<string, number>(), names: new Ranking(compareNames), shares: nothing, version: 0, countedAt: 0 };
  owners.set(owner, row);
  return row;
}

/** The newest comes first. */
function compareNames(a: Name, b: Name): number {
  return b.at - a.at || compareTexts(b.requestKey, a.requestKey);
}
