import { contentOf } from './attempt/work.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/observability.ts';
import type { Store } from './ports/store.ts';

/** How old a file must be before it counts as left behind: longer than any upload takes. */
const AGE_MS = 60 * 60 * 1000;
/** So many failures one after the other are one of the store's. */
const FAILURES_IN_A_ROW_MAX = 10;

/** What a sweep did. */
export interface SweepCounts {
  readonly swept: number;
  readonly failed: number;
}

/** What a sweep works with. */
export interface SweepDeps {
  readonly attachments: AttachmentStore;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the sweep, with what it counted so far: at once, also while the host's attachment store has not answered. */
  readonly signal: AbortSignal;
}

/** Deletes files that no task references: those of uploads that ended before their task was created, and those of removed tasks. */
export function sweepAttachments(deps: SweepDeps): Promise<SweepCounts> {
  const counts = { swept: 0, failed: 0 };
  const { signal } = deps;
  if (signal.aborted) return Promise.resolve(counts);
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(counts);
    signal.addEventListener('abort', stop);
    sweep(deps, counts)
      .then(stop, reject)
      .finally(() => signal.removeEventListener('abort', stop));
  });
}

async function sweep({ attachments, store, clock, logger, signal }: SweepDeps, counts: { swept: number; failed: number }): Promise<void> {
  let inARow = 0;
  for await (const key of attachments.keys(clock.now() - AGE_MS)) {
    if (signal.aborted) return;
    try {
      if (!(await isReferenced(key, store))) {
        await attachments.remove(key);
        counts.swept++;
      }
      inARow = 0;
    } catch (error) {
      // The store may be closed by now.
      if (signal.aborted) return;
      // One that cannot be judged or deleted is no reason to keep the others; where nothing can be, the next sweep tries again.
      counts.failed++;
      inARow++;
      if (inARow >= FAILURES_IN_A_ROW_MAX) throw error;
      logger.warn('A file that may be left behind could not be looked after; it is tried again.', { key, error });
    }
  }
}

async function isReferenced(key: string, store: Store): Promise<boolean> {
  const [taskId = ''] = key.split('/');
  if (!(await store.load(taskId))) return false;
  return (await contentOf(taskId, store)).attachments.some((reference) => reference.key === key);
}
