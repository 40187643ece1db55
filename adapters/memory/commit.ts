import { parseEventId, type EventId } from '../../machines/wire/index.ts';
import type { Commit } from '../../server/ports/index.ts';

/** Where a log stands before a commit. */
export interface LogEnd {
  readonly lastEventId: EventId | null;
  readonly ended: boolean;
}

/**
 * Throws for a commit that no store may write and that would not succeed a second time either: its facts are not dense after the last
 * one, the log has ended, or it changes lanes where the store keeps none (`keepsLanes`, which defaults to false). A mistake of the caller, unlike a conflict.
 */
export function refuseBrokenCommit({ taskId, facts, lanes }: Commit, { lastEventId, ended }: LogEnd, keepsLanes = false): void {
  if (lanes && !keepsLanes)
    throw new Error(`A commit of task ${taskId} changes lanes, and this store keeps none. Ask for \`store.lanes\` first.`);
  if (ended && facts.length > 0) throw new Error(`The log of task ${taskId} has ended with ${lastEventId}. Nothing can follow it.`);
  let last = numberOf(lastEventId);
  for (const { eventId } of facts) {
    last += 1;
    if (numberOf(eventId) !== last) throw new Error(`Fact ${eventId} of task ${taskId} is out of line: number ${last} comes next.`);
  }
}

function numberOf(eventId: EventId | null): number {
  return eventId === null ? 0 : (parseEventId(eventId)?.n ?? Number.NaN);
}
