import type { RootDatabase } from 'lmdb';
import type { EventId } from '../../machines/wire/index.ts';
import { headKey, type RowKey } from './keys.ts';

/** The database as this adapter uses it: bytes under sorted keys. */
export type Rows = RootDatabase<Buffer, RowKey>;

/** What a task's one small row says. */
export interface Head {
  readonly requestKey: string;
  readonly revision: number;
  readonly dueAt: number | null;
  /** The number of the first fact that is still kept, or of the next one where none is. */
  readonly firstRetained: number;
  readonly lastEventId: EventId | null;
  readonly ended: boolean;
}

/** Reads a head: inside a transaction as its writes leave it, outside as it was committed last. */
export function readHead(rows: Rows, taskId: string): Head | undefined {
  const row = rows.get(headKey(taskId));
  // Written by `writeHead` only.
  return row && (JSON.parse(row.toString()) as Head);
}

/** Writes a head; inside a transaction only. */
export function writeHead(rows: Rows, taskId: string, head: Head): void {
  rows.putSync(headKey(taskId), Buffer.from(JSON.stringify(head)));
}
