import { parseEventId } from '../../machines/wire/index.ts';
import type { EventStore } from '../ports/store.ts';
import type { Logger } from '../ports/observability.ts';
import type { CommitNote } from '../task/commit-notes.ts';

/** What the waits of questions are found out with. */
export interface QuestionWaitsDeps {
  readonly store: Pick<EventStore, 'read'>;
  readonly logger: Logger;
}

/** A question that has ended. */
export type ClosedQuestion = Extract<CommitNote, { readonly type: 'question.closed' }>;

/**
 * When a question was asked, in milliseconds of the store's clock. Whoever takes its answer may be another node than the one that asked, so the log is
 * read: one fact a question, after the commit. Undefined where it cannot be had. Never rejects.
 */
export async function askedAt(
  { store, logger }: QuestionWaitsDeps,
  taskId: string,
  { asked }: ClosedQuestion,
): Promise<number | undefined> {
  try {
    const page = await store.read(taskId, asked, { facts: 1, bytes: 1 });
    const id = page?.entries[0]?.eventId;
    const parsed = id === undefined ? undefined : parseEventId(id);
    return parsed?.n === asked ? parsed.ms : undefined;
  } catch (error) {
    logger.warn('How long a question was open could not be found out.', { taskId, error });
    return undefined;
  }
}
