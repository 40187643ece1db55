import type { Gap } from '../../machines/index.ts';
import type { Entry, EventStore, LogPage } from '../ports/store.ts';
import { cursorOf, resume, type Cursor, type Resumption } from './cursor.ts';

/** Facts that follow a cursor. */
export interface LogRun {
  /** The number before the first of `entries`. */
  readonly after: number;
  /** Dense from `after + 1` on. */
  readonly entries: readonly Entry[];
  /** Only where the cursor could not be continued from. */
  readonly gap?: Gap;
  /** The newest fact of the log. */
  readonly last: Cursor;
  /** True when nothing can follow `last`. */
  readonly ended: boolean;
}

/** How to read. */
export interface ReadLimit {
  readonly facts: number;
  readonly bytes: number;
}

/**
 * Reads the facts after a cursor; undefined for a task that is gone. The fact at the cursor is read too, so that a replaced history is
 * noticed. Takes a second read where the first one could not bring what follows: after a gap, or when the fact at the cursor filled the
 * page.
 */
export async function readAfter(store: EventStore, taskId: string, cursor: Cursor, limit: ReadLimit): Promise<LogRun | undefined> {
  const looksBack = cursor.n > 0 && cursor.ms !== null;
  const page = await store.read(taskId, looksBack ? cursor.n : cursor.n + 1, { ...limit, facts: limit.facts + (looksBack ? 1 : 0) });
  if (!page) return undefined;
  const resumption = resume(cursor, { ...page, atCursor: entryAt(page, cursor.n)?.eventId });
  const run = runOf(page, resumption);
  if (run.entries.length > 0 || run.after >= run.last.n) return { ...run, entries: run.entries.slice(0, limit.facts) };
  return readOn(store, taskId, resumption, limit);
}

async function readOn(store: EventStore, taskId: string, { after, gap }: Resumption, limit: ReadLimit): Promise<LogRun | undefined> {
  const page = await store.read(taskId, after + 1, limit);
  if (!page) return undefined;
  const again = resume({ n: after, ms: null }, page);
  const told = gap ?? again.gap;
  return runOf(page, { after: again.after, ...(told && { gap: told }) });
}

function runOf(page: LogPage, resumption: Resumption): LogRun {
  const first = cursorOf(page.entries[0]?.eventId).n;
  const skipped = resumption.after + 1 - first;
  // Facts that begin later than they should were read from before a gap: of no use.
  const entries = skipped < 0 ? [] : skipped === 0 ? page.entries : page.entries.slice(skipped);
  return { ...resumption, entries, last: cursorOf(page.lastEventId), ended: page.ended };
}

function entryAt({ entries }: LogPage, n: number): Entry | undefined {
  return entries.slice(0, 1).find(({ eventId }) => cursorOf(eventId).n === n);
}
