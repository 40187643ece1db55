/** What the workflows do in the world: they read uploads. */
import type { AttachmentReference, AttachmentStore } from 'taskbridge/server';
import { labelsOf } from './image.ts';

export function activitiesOf(attachments: AttachmentStore) {
  return {
    analyze: async ({ key }: AttachmentReference): Promise<readonly string[]> => labelsOf(await attachments.open(key)),
  };
}
