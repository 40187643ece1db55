import type { Shares } from '../../server/ports/index.ts';
import type { Rows } from './head.ts';
import { namesOf, ownerMarkOf, recordKey, startsWith } from './keys.ts';

/** What is counted of an owner. There is one of everybody who has a name or counts; with version 0 it only says who he is. */
export interface OwnerRecord {
  readonly owner: string;
  readonly shares: Shares;
  readonly version: number;
  readonly countedAt: number;
}

const NOTHING: Shares = { active: 0, waiting: 0, questions: 0, tasks: 0, bytes: 0 };

/** Reads the record of an owner; one that says nothing of him where there is none. */
export function readRecord(rows: Rows, owner: string): OwnerRecord {
  const row = rows.get(recordKey(ownerMarkOf(owner)));
  return row ? parseRecord(row) : { owner, shares: NOTHING, version: 0, countedAt: 0 };
}

/** Reads the text of a record, which {@link writeRecord} wrote. */
export function parseRecord(row: Buffer): OwnerRecord {
  return JSON.parse(row.toString()) as OwnerRecord;
}

/** Inside a transaction only, like all that writes here. */
export function writeRecord(rows: Rows, record: OwnerRecord): void {
  rows.putSync(recordKey(ownerMarkOf(record.owner)), Buffer.from(JSON.stringify(record)));
}

export function dropRecord(rows: Rows, ownerMark: string): void {
  rows.removeSync(recordKey(ownerMark));
}

/** Writes who an owner is, where nobody has. */
export function keepOwner(rows: Rows, owner: string): void {
  if (!rows.doesExist(recordKey(ownerMarkOf(owner)))) writeRecord(rows, readRecord(rows, owner));
}

/** Drops the record of an owner whose last name is gone, where nothing is counted in it. */
export function dropUncounted(rows: Rows, ownerMark: string): void {
  const row = rows.get(recordKey(ownerMark));
  if (row && parseRecord(row).version === 0 && !hasNames(rows, ownerMark)) dropRecord(rows, ownerMark);
}

/** True where an owner has a name. */
export function hasNames(rows: Rows, ownerMark: string): boolean {
  for (const key of rows.getKeys({ start: namesOf(ownerMark), limit: 1 })) return startsWith(key, namesOf(ownerMark));
  return false;
}
