import { NewerVersionError } from '../../machines/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { Store } from '../ports/store.ts';
import { shownParts } from '../parts/shown-parts.ts';
import { asTaskBridgeError } from '../task/command-processor.ts';
import { snapshotJson, snapshotOf } from '../task/snapshot.ts';
import type { TaskRecord } from '../task/task-record.ts';

/** A task of a list as it is answered, and how much of the store was read for it. */
export interface ListedTask {
  readonly json: Buffer;
  readonly readBytes: number;
}

/** Reads what is shown of a task. */
export async function listedTask(record: TaskRecord, store: Store): Promise<ListedTask> {
  const parts = await stored(shownParts(record, store, false));
  const snapshot = await stored(snapshotOf(record, store, parts));
  const json = snapshotJson(snapshot);
  // What is too large to be shown was read all the same.
  return { json, readBytes: json.length + (snapshot.inputBytes ?? 0) + (snapshot.metadataBytes ?? 0) };
}

/** Undefined for a task that is gone, or that only a newer version can read: one such task keeps nobody from the others. */
export function unlessReadable(error: unknown): undefined {
  if (error instanceof TaskBridgeError && (error.code === 'TASK_NOT_FOUND' || error.cause instanceof NewerVersionError)) return undefined;
  throw error;
}

/** What a caller is told of a store that fails. */
export async function stored<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw asTaskBridgeError(error);
  }
}
