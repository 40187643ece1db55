import { contentOf } from './attempt/work.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { Clock } from './ports/clock.ts';
import type { Store } from './ports/store.ts';

/** How old a file must be before it counts as left behind: longer than any upload takes. */
const AGE_MS = 60 * 60 * 1000;

/** Deletes files that no task references: those of uploads that ended before their task was created, and those of removed tasks. */
export async function sweepAttachments(attachments: AttachmentStore, store: Store, clock: Clock): Promise<number> {
  let removed = 0;
  for await (const key of attachments.keys(clock.now() - AGE_MS)) {
    if (await isReferenced(key, store)) continue;
    await attachments.remove(key);
    removed++;
  }
  return removed;
}

async function isReferenced(key: string, store: Store): Promise<boolean> {
  const [taskId = ''] = key.split('/');
  if (!(await store.load(taskId))) return false;
  return (await contentOf(taskId, store)).attachments.some((reference) => reference.key === key);
}
