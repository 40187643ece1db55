import type { Gap } from '../../machines/wire/index.ts';
import type { Entry, EventStore, LogPage } from '../ports/store.ts';
import { positionOf, resumeAt, type LogPosition, type Resumption } from './log-position.ts';

/** Facts that follow a cursor. */
export interface LogRun {
  /** The number before the first of `entries`. */
  readonly after: number;
  /** Dense from `after + 1` on. */
  readonly entries: readonly Entry[];
  /** Only where the cursor could not be continued from. */
  readonly gap?: Gap;
  /** The newest fact of the log. */
  readonly last: LogPosition;
  /** True when nothing can follow `last`. */
  readonly ended: boolean;
  /** What the store gave, where this is nothing but that. */
  readonly source?: LogPage;
}

/** How to read. */
export interface ReadLimit {
  readonly facts: number;
  readonly bytes: number;
}

/** The next fact, however large it is. */
const nextFact: ReadLimit = { facts: 1, bytes: Number.MAX_SAFE_INTEGER };

/**
 * Reads the facts after a cursor; undefined for a task that is gone. The fact at the cursor is read with them, so that a replaced history is
 * noticed. Takes another read where the first one could not bring what follows: when the fact at the cursor filled the page, or after a gap.
 */
export async function readAfter(store: EventStore, taskId: string, cursor: LogPosition, limit: ReadLimit): Promise<LogRun | undefined> {
  let run = await readFrom(store, taskId, cursor, limit);
  if (run && isShort(run) && !run.gap && cursor.ms !== null) run = await readFrom(store, taskId, cursor, nextFact);
  return run && isShort(run) ? readOn(store, taskId, run, limit) : run;
}

const isShort = ({ entries, after, last }: LogRun): boolean => entries.length === 0 && after < last.n;

async function readFrom(store: EventStore, taskId: string, cursor: LogPosition, limit: ReadLimit): Promise<LogRun | undefined> {
  const looksBack = cursor.n > 0 && cursor.ms !== null;
  const page = await store.read(taskId, looksBack ? cursor.n : cursor.n + 1, {
    facts: limit.facts + (looksBack ? 1 : 0),
    bytes: limit.bytes,
  });
  if (!page) return undefined;
  const made = runs.get(page);
  if (made && isSame(made, cursor, limit)) return made.run;
  const run = runIn(page, cursor, limit);
  if (run.source) runs.set(page, { cursor, facts: limit.facts, run });
  return run;
}

/** What was made of a page that a store may give again, and for whom. */
interface MadeRun {
  readonly cursor: LogPosition;
  readonly facts: number;
  readonly run: LogRun;
}

const runs = new WeakMap<LogPage, MadeRun>();

/** How many bytes were asked for the page has heeded. */
function isSame({ cursor, facts }: MadeRun, { n, ms }: LogPosition, limit: ReadLimit): boolean {
  return cursor.n === n && cursor.ms === ms && facts === limit.facts;
}

function runIn(page: LogPage, cursor: LogPosition, limit: ReadLimit): LogRun {
  const { entries, firstEventId, lastEventId } = page;
  const run = runOf(page, resumeAt(cursor, { firstEventId, lastEventId, atCursor: entryAt(page, cursor.n)?.eventId }));
  const cut = run.entries.length > limit.facts ? { ...run, entries: run.entries.slice(0, limit.facts) } : run;
  return !cut.gap && entries.length > 0 ? { ...cut, source: page } : cut;
}

async function readOn(store: EventStore, taskId: string, { after, gap }: Resumption, limit: ReadLimit): Promise<LogRun | undefined> {
  const page = await store.read(taskId, after + 1, limit);
  if (!page) return undefined;
  const again = resumeAt({ n: after, ms: null }, page);
  const met = gap ?? again.gap;
  return runOf(page, { after: again.after, ...(met && { gap: met }) });
}

function runOf(page: LogPage, resumption: Resumption): LogRun {
  const first = positionOf(page.entries[0]?.eventId).n;
  const skipped = resumption.after + 1 - first;
  // Facts that begin later than they should were read from before a gap: of no use.
  const entries = skipped < 0 ? [] : skipped === 0 ? page.entries : page.entries.slice(skipped);
  return { ...resumption, entries, last: positionOf(page.lastEventId), ended: page.ended };
}

function entryAt({ entries }: LogPage, n: number): Entry | undefined {
  return entries.slice(0, 1).find(({ eventId }) => positionOf(eventId).n === n);
}
