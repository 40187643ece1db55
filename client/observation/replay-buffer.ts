import type { Fact, UnknownFact } from '../../machines/wire/index.ts';

const FACTS_MAX = 256;
const BYTES_MAX = 256 * 1024;

/** One fact and its size. */
export interface ReplayedFact {
  readonly fact: Fact | UnknownFact;
  readonly bytes: number;
}

/** The last facts of a connection, for observations that come a little later: 256 facts or 256 KiB. */
export interface ReplayBuffer {
  add(entry: ReplayedFact): void;
  /** What came before does not join what comes next. */
  clear(): void;
  /** All that comes next is the log from its start. */
  restart(): void;
  /** All facts after this one; undefined where they are not all here. */
  after(cursor: string | null): readonly ReplayedFact[] | undefined;
}

/** Begins after `start`; null for the start of the log. */
export function createReplayBuffer(start: string | null): ReplayBuffer {
  let base: string | null | undefined = start;
  let entries: ReplayedFact[] = [];
  let bytesKept = 0;
  const empty = (next: null | undefined): void => {
    base = next;
    entries = [];
    bytesKept = 0;
  };
  return {
    add(entry) {
      if (base === undefined) {
        base = entry.fact.eventId;
        return;
      }
      entries.push(entry);
      bytesKept += entry.bytes;
      // Half at once: letting go one by one would copy the rest each time.
      if (entries.length <= FACTS_MAX && bytesKept <= BYTES_MAX) return;
      const gone = entries.slice(0, Math.ceil(entries.length / 2));
      entries = entries.slice(gone.length);
      bytesKept = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      base = gone.at(-1)?.fact.eventId;
    },
    clear: () => empty(undefined),
    restart: () => empty(null),
    after(cursor) {
      if (base === undefined) return undefined;
      if (cursor === base) return entries;
      const index = entries.findIndex(({ fact }) => fact.eventId === cursor);
      return index < 0 ? undefined : entries.slice(index + 1);
    },
  };
}
