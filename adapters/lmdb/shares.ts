import { shareNames, type CountChange, type NewTask, type OwnersPage, type Shares } from '../../server/ports/index.ts';
import type { Rows } from './head.ts';
import { after, ownerMarkOf, recordKey } from './keys.ts';
import { namedAt, nameTask } from './names.ts';
import { dropRecord, hasNames, parseRecord, readRecord, writeRecord, type OwnerRecord } from './owner-record.ts';
import type { WriteDecision } from './writer.ts';

/** Owners of a page at most: a millisecond or two. */
const OWNERS_AT_ONCE = 500;

/** The first share of which the owner of a new task would have more than he may. */
export function fullShareOf({ shares }: OwnerRecord, { adds, sharesMax }: NewTask): keyof Shares | undefined {
  return shareNames.find((share) => {
    const added = adds[share] ?? 0;
    return added > 0 && shares[share] + added > (sharesMax[share] ?? Number.POSITIVE_INFINITY);
  });
}

/** A record with other counts; the same one where nothing changes. */
export function withChange(record: OwnerRecord, by: Partial<Shares>, now: number): OwnerRecord {
  const changed = shareNames.filter((share) => (by[share] ?? 0) !== 0);
  if (changed.length === 0) return record;
  const counts = changed.map((share) => [share, Math.max(0, record.shares[share] + (by[share] ?? 0))] as const);
  const shares: Shares = { ...record.shares, ...(Object.fromEntries(counts) as Partial<Shares>) };
  return { ...record, shares, version: nextVersion(record, now) };
}

/** Changes the counts of an owner, and puts back a name. */
export function changeCounts(rows: Rows, { owner, by, name }: CountChange, now: number): WriteDecision<Shares> {
  const record = readRecord(rows, owner);
  const next = withChange(record, by, now);
  const isMissing = name !== undefined && namedAt(rows, ownerMarkOf(owner), name.requestKey) === undefined;
  if (next === record && !isMissing) return { result: record.shares };
  return {
    result: next.shares,
    change: () => {
      if (isMissing) nameTask(rows, owner, name);
      if (next !== record) writeRecord(rows, next);
    },
  };
}

/** Writes the counts of an owner where they are of that version still. */
export function writeShares(rows: Rows, owner: string, shares: Shares, ifVersion: number, now: number): WriteDecision<boolean> {
  const record = readRecord(rows, owner);
  if (record.version !== ifVersion) return { result: false };
  const ownerMark = ownerMarkOf(owner);
  return {
    result: true,
    change: () => {
      if (shareNames.every((share) => shares[share] === 0) && !hasNames(rows, ownerMark)) return dropRecord(rows, ownerMark);
      const { active, waiting, questions, tasks, bytes } = shares;
      writeRecord(rows, { owner, shares: { active, waiting, questions, tasks, bytes }, version: nextVersion(record, now), countedAt: now });
    },
  };
}

/** Owners who have a record, a page of them: what is read in one turn of the event loop. */
export function readOwners(rows: Rows, limit: number, last: string | undefined): OwnersPage {
  const pageMax = Math.min(limit, OWNERS_AT_ONCE);
  const owners: string[] = [];
  let next: string | undefined;
  const range = { start: recordKey(last), exclusiveStart: true, end: after(recordKey()), limit: pageMax };
  for (const { key, value } of rows.getRange(range)) {
    owners.push(parseRecord(value).owner);
    next = String(key[1]);
  }
  return { owners, next: owners.length < pageMax ? undefined : next };
}

/** A record that is dropped and made anew does not count from where it was: who read the one before writes nothing into this one. */
function nextVersion({ version }: OwnerRecord, now: number): number {
  return Math.max(version + 1, now);
}
