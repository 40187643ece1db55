import { contentOf } from './attempt/work.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import { monotonicMs, type Clock } from './ports/clock.ts';
import type { Logger } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import { parseAttachments } from './task/stored-attachments.ts';
import { sideValueNames } from './task/task-record.ts';

/** How old a file must be before it counts as left behind: longer than any upload takes. */
const AGE_MS = 60 * 60 * 1000;
/** How long after it was first seen without a task a file is deleted, and so the least age of a process that deletes any. */
const REST_MS = 60 * 60 * 1000;
/** So many files are marked at once; the others are when those are gone. */
export const MARKS_MAX = 10_000;
/** So many failures one after the other are one of the store's. */
const FAILURES_IN_A_ROW_MAX = 10;
/** Every file is older. */
const FAR_FUTURE = Number.MAX_SAFE_INTEGER;

/** What a sweep did. */
export interface SweepCounts {
  readonly swept: number;
  readonly failed: number;
}

/** What sweeps work with. */
export interface SweepDeps {
  readonly attachments: AttachmentStore;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Deletes files that no task references: those of uploads that ended before their task was created, and those of removed tasks.
 *
 * A store that is empty or another one knows none of the tasks whose files are there. So nothing is deleted
 * - that is not of the store whose id the files carry: files without one get it once there are none, or one is found to be of a task of this store;
 * - at first sight: the first sweep marks a file, and one an hour later deletes it where it still finds no task;
 * - by a sweep that finds not one file that is of a task.
 */
export class AttachmentSweep {
  readonly #deps: SweepDeps;
  /** When each file without a task was first seen so, by the monotonic clock. */
  #marks: ReadonlyMap<string, number> = new Map();
  #isForeign = false;

  constructor(deps: SweepDeps) {
    this.#deps = deps;
  }

  /** Sweeps once. The signal ends it, with what it counted so far: at once, also while the host's attachment store has not answered. */
  run(signal: AbortSignal): Promise<SweepCounts> {
    const counts = { swept: 0, failed: 0 };
    if (signal.aborted) return Promise.resolve(counts);
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(counts);
      signal.addEventListener('abort', stop);
      this.#sweep(signal, counts)
        .then(stop, reject)
        .finally(() => signal.removeEventListener('abort', stop));
    });
  }

  async #sweep(signal: AbortSignal, counts: { swept: number; failed: number }): Promise<void> {
    const { attachments, clock, logger } = this.#deps;
    const seenAt = monotonicMs(clock);
    if (!(await this.#isOurs(signal))) return;
    const marks = new Map<string, number>();
    const ripe: string[] = [];
    let hasTasks = false;
    await this.#each(attachments.keys(clock.now() - AGE_MS), signal, counts, async (key) => {
      if (await this.#isReferenced(key)) return void (hasTasks = true);
      const markedAt = this.#marks.get(key) ?? seenAt;
      if (marks.size < MARKS_MAX) marks.set(key, markedAt);
      if (seenAt - markedAt >= REST_MS) ripe.push(key);
    });
    if (signal.aborted) return;
    this.#marks = marks;
    if (ripe.length === 0 || !(hasTasks || (await this.#anyOfATask(signal)) === true)) return;
    await this.#each(ripe, signal, counts, async (key) => {
      if (await this.#isReferenced(key)) return;
      await attachments.remove(key);
      marks.delete(key);
      counts.swept++;
    });
    if (counts.swept > 0) logger.warn('Files were deleted that no task had for an hour.', { count: counts.swept });
  }

  /** Does something with each key. One that cannot be judged or deleted is no reason to keep the others; where nothing can be, the next sweep tries again. */
  async #each(
    keys: AsyncIterable<string> | Iterable<string>,
    signal: AbortSignal,
    counts: { failed: number },
    step: (key: string) => Promise<void>,
  ): Promise<void> {
    let inARow = 0;
    for await (const key of keys) {
      if (signal.aborted) return;
      try {
        await step(key);
        inARow = 0;
      } catch (error) {
        // The store may be closed by now.
        if (signal.aborted) return;
        counts.failed++;
        inARow++;
        if (inARow >= FAILURES_IN_A_ROW_MAX) throw error;
        this.#deps.logger.warn('A file that may be left behind could not be looked after; it is tried again.', { key, error });
      }
    }
  }

  /** True where the files are of the tasks of this store. That they are not is said once. */
  async #isOurs(signal: AbortSignal): Promise<boolean> {
    const { attachments, store, logger } = this.#deps;
    const id = await store.id();
    const noted = (await attachments.storeId()) ?? ((await this.#anyOfATask(signal)) === false ? undefined : await attachments.claim(id));
    if (signal.aborted) return false;
    if (noted === id) return true;
    if (!this.#isForeign)
      logger.warn(
        noted === undefined
          ? 'No attachment is swept: there are files, they carry no id of a store, and none is of a task of this one.'
          : 'No attachment is swept: the files are of the tasks of another store. Where that is gone for good, delete them and the id that they carry.',
        { store: id, filesOf: noted },
      );
    this.#isForeign = true;
    return false;
  }

  /** True once one file is found to be of a task of the store, undefined where there is no file at all. */
  async #anyOfATask(signal: AbortSignal): Promise<boolean | undefined> {
    const { attachments, store } = this.#deps;
    let any: false | undefined;
    for await (const key of attachments.keys(FAR_FUTURE)) {
      if (signal.aborted) return false;
      if (await store.load(taskOf(key))) return true;
      any = false;
    }
    return any;
  }

  async #isReferenced(key: string): Promise<boolean> {
    const { store } = this.#deps;
    const taskId = taskOf(key);
    if (!(await store.load(taskId))) return false;
    const [made] = await store.sideValues(taskId, [sideValueNames.attachments]);
    const files = made === undefined ? [] : parseAttachments(made);
    return [...(await contentOf(taskId, store)).attachments, ...files].some((file) => file.key === key);
  }
}

function taskOf(key: string): string {
  const [taskId = ''] = key.split('/');
  return taskId;
}
