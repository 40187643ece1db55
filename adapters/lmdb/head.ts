import type { RootDatabase } from 'lmdb';
import type { EventId } from '../../machines/wire/index.ts';
import type { Plan } from '../../server/ports/index.ts';
import { headKey, type RowKey } from './keys.ts';

/** The database as this adapter uses it: bytes under sorted keys. */
export type Rows = RootDatabase<Buffer, RowKey>;

/** What work a task is, and whose. */
export interface Kind {
  readonly taskType: string;
  readonly ownerMark: string;
}

/** Where a task stands among those that wait for something. */
export interface Standing {
  readonly plan: Plan;
  /** Null where 0.1.0 made the task and did not say. */
  readonly kind: Kind | null;
  /** Its turn in the queue of its type; null while it is in none. */
  readonly turn: number | null;
}

/** Where it stands as 0.1.0 wrote it: one time for everything. */
export interface OldStanding {
  readonly dueAt: number | null;
}

/** A public state, and when the task came to it. */
export interface StateSince {
  readonly name: string;
  readonly since: number;
}

/** What a task's one small row says. */
export interface Head {
  readonly requestKey: string;
  readonly revision: number;
  readonly standing: Standing | OldStanding;
  /** Null where nobody has said it. */
  readonly state: StateSince | null;
  /** The number of the first fact that is still kept, or of the next one where none is. */
  readonly firstRetained: number;
  readonly lastEventId: EventId | null;
  readonly ended: boolean;
}

/** Reads a head as it was committed last. Whoever writes asks `HeadCache`. */
export function readHead(rows: Rows, taskId: string): Head | undefined {
  const row = rows.get(headKey(taskId));
  return row && parseHead(row);
}

/** Reads the text of a head. */
export function parseHead(row: Buffer): Head {
  // Written by `HeadCache` only, of this release or of 0.1.0, which had the time at the place of the standing.
  const stored = JSON.parse(row.toString()) as Head | (Omit<Head, 'standing' | 'state'> & OldStanding);
  if ('standing' in stored) return stored;
  const { dueAt, ...head } = stored;
  return { ...head, standing: { dueAt }, state: null };
}
