import { parseEventId } from '../../machines/wire/index.ts';
import type { Entry, EventStore, Fields } from '../ports/store.ts';
import type { FinishedUnit } from './unit-of-work.ts';

/** What the store holds of a task now. */
export interface HeldTask {
  readonly revision: number;
  readonly fields: Fields;
}

/** So many are remembered: more than one commit is ever tried. */
const UNKNOWN_MAX = 16;

/**
 * Units that were given to the store and never answered for. Each has a mark that nobody else's has, and that is found again in what was
 * written: its facts, whose ids say the number and the millisecond. So whoever waits for it hears that it was his, whatever others have
 * committed since. One without facts has no mark, and is decided again; so is one whose facts were trimmed before anybody could look.
 */
export class UnknownWrites<A extends { readonly finished: FinishedUnit }> {
  #attempts: readonly A[] = [];

  get isEmpty(): boolean {
    return this.#attempts.length === 0;
  }

  add(attempt: A): void {
    this.#attempts = [...this.#attempts, attempt].slice(-UNKNOWN_MAX);
  }

  /** A later unit was written on the revision that they were decided on, or on a later one: none of them can be any more. */
  clear(): void {
    this.#attempts = [];
  }

  /** Gives those that were written, once each. One that may still be under way stays: a command can be late. */
  async takeWritten({ revision, fields }: HeldTask, log: Pick<EventStore, 'read'>): Promise<readonly A[]> {
    if (this.#attempts.length === 0) return [];
    const written: A[] = [];
    const open: A[] = [];
    for (const attempt of this.#attempts) {
      const { after, commit } = attempt.finished;
      if (after.revision > revision) open.push(attempt);
      // Another node may give its fact the same number in the same millisecond; what it changed beside is not the same.
      else if (after.revision < revision || Object.entries(commit.fields).every(([name, json]) => fields[name] === json))
        if (await isInLog(attempt.finished, log)) written.push(attempt);
    }
    this.#attempts = open;
    return written;
  }
}

async function isInLog({ commit: { taskId, facts } }: FinishedUnit, log: Pick<EventStore, 'read'>): Promise<boolean> {
  const [first] = facts;
  const from = first && parseEventId(first.eventId)?.n;
  if (from === undefined) return false;
  const bytes = facts.reduce((sum, fact) => sum + fact.bytes.byteLength, 0);
  const page = await log.read(taskId, from, { facts: facts.length, bytes });
  return page?.entries.length === facts.length && page.entries.every((entry, i) => isSame(entry, facts[i]));
}

function isSame(one: Entry, other: Entry | undefined): boolean {
  return one.eventId === other?.eventId && Buffer.compare(one.bytes, other.bytes) === 0;
}
