import { NewerVersionError } from '../../machines/index.ts';
import type { TaskAttachment } from '../../machines/lists/index.ts';

/** The version of the stored list. */
export const ATTACHMENTS_VERSION = 1;

/** A file that a task's work has made, as the task's record has it. */
export interface MadeAttachment extends TaskAttachment {
  /** Where the attachment store has it: each was written under a key of its own, and under no other. */
  readonly key: string;
}

/** The stored form of the files of a task. */
export function storeAttachments(files: readonly MadeAttachment[]): string {
  return JSON.stringify({ v: ATTACHMENTS_VERSION, files });
}

/** Reads the stored form. Throws `NewerVersionError` where a newer node wrote it. */
export function parseAttachments(json: string): readonly MadeAttachment[] {
  // Our own text, written when a file was listed.
  const { v, files } = JSON.parse(json) as { readonly v: number; readonly files: readonly MadeAttachment[] };
  if (v > ATTACHMENTS_VERSION) throw new NewerVersionError(v, ATTACHMENTS_VERSION);
  return files;
}

/** What callers see of one. */
export function shownAttachment({ name, contentType, bytes, sha256 }: MadeAttachment): TaskAttachment {
  return { name, contentType, bytes, sha256 };
}
