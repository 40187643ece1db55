import type { CommittedSnapshot } from './service.ts';
import type { TaskRecord } from './task-record.ts';

/** A snapshot, and the record that it was made of. */
interface Recent {
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
export class RecentSnapshots {
  /** By the ids of their tasks. */
  readonly #recent = new Map<string, Recent>();

  /** The snapshot that was made of this very record, if it is here. */
  of(record: TaskRecord): CommittedSnapshot | undefined {
    const recent = this.#recent.get(record.about.taskId);
    return recent?.record === record ? recent.snapshot : undefined;
  }

  /** Keeps a snapshot, where it is small and its task has no parts. */
  keep(record: TaskRecord, snapshot: CommittedSnapshot): void {
    const { taskId } = record.about;
    this.#recent.delete(taskId);
    const { input, metadata, result } = snapshot.json;
    const bytes = (input?.length ?? 0) + (metadata?.length ?? 0) + (result?.length ?? 0);
    if (snapshot.parts || bytes > BYTES_MAX) return;
    this.#recent.set(taskId, { record, snapshot });
    if (this.#recent.size <= SNAPSHOTS_MAX) return;
    for (const oldest of this.#recent.keys()) return void this.#recent.delete(oldest);
  }
}
