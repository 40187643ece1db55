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

/** Deletes files that no task references: those of uploads that ended before their task was created, and those of removed tasks. */
export async function sweepAttachments(attachments: AttachmentStore, store: Store, clock: Clock, logger: Logger): Promise<SweepCounts> {
  let swept = 0;
  let failed = 0;
  let inARow = 0;
  for await (const key of attachments.keys(clock.now() - AGE_MS)) {
    try {
      if (!(await isReferenced(key, store))) {
        await attachments.remove(key);
        swept++;
      }
      inARow = 0;
    } catch (error) {
      // One that cannot be judged or deleted is no reason to keep the others; where nothing can be, the next sweep tries again.
      failed++;
      inARow++;
      if (inARow >= FAILURES_IN_A_ROW_MAX) throw error;
      logger.warn('A file that may be left behind could not be looked after; it is tried again.', { key, error });
    }
  }
  return { swept, failed };
}

async function isReferenced(key: string, store: Store): Promise<boolean> {
  const [taskId = ''] = key.split('/');
  if (!(await store.load(taskId))) return false;
  return (await contentOf(taskId, store)).attachments.some((reference) => reference.key === key);
}
