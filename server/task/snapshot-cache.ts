import { shownParts } from '../parts/shown-parts.ts';
import type { Store } from '../ports/store.ts';
import type { CommittedSnapshot } from './service.ts';
import { snapshotOf } from './snapshot.ts';
import type { TaskRecord } from './task-record.ts';

/** A snapshot, and the record that it was made of. */
interface CachedSnapshot {
  readonly record: TaskRecord;
  readonly snapshot: CommittedSnapshot;
}

/** Snapshots that are kept, at most, and bytes of what people wrote in one. */
const SNAPSHOTS_MAX = 256;
const BYTES_MAX = 16 * 1024;

/**
 * The snapshots that were made last, each as long as its task stands where it stood. All that one shows is changed by commits, and a commit makes another record; only
 * the text of parts grows without, so that tasks with parts are looked at anew.
 */
export class SnapshotCache {
  readonly #store: Store;
  /** By the ids of their tasks. */
  readonly #cached = new Map<string, CachedSnapshot>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** A task as its record says. Undefined where a part was closed since that was read, and there is another try. */
  async of(record: TaskRecord, isLastTry: boolean): Promise<CommittedSnapshot | undefined> {
    const cached = this.#cached.get(record.about.taskId);
    if (cached?.record === record) return cached.snapshot;
    const parts = await shownParts(record, this.#store, true);
    if (!parts && !isLastTry) return undefined;
    const snapshot = await snapshotOf(record, this.#store, parts);
    this.#keep(record, snapshot);
    return snapshot;
  }

  /** Keeps a snapshot, where it is small and its task has no parts. */
  #keep(record: TaskRecord, snapshot: CommittedSnapshot): void {
    const { taskId } = record.about;
    this.#cached.delete(taskId);
    const { input, metadata, result } = snapshot.json;
    const bytes = (input?.length ?? 0) + (metadata?.length ?? 0) + (result?.length ?? 0);
    if (snapshot.parts || bytes > BYTES_MAX) return;
    this.#cached.set(taskId, { record, snapshot });
    if (this.#cached.size <= SNAPSHOTS_MAX) return;
    for (const oldest of this.#cached.keys()) return void this.#cached.delete(oldest);
  }
}
