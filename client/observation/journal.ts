import type { Fact, UnknownFact } from '../../machines/index.ts';
import { TaskBridgeClientError } from '../errors.ts';

/** How far a consumer came: so many facts of this observation, the last of them this one. */
export interface Dealt {
  readonly count: number;
  readonly eventId: string | null;
}

/** Told of what consumers do. */
export interface JournalListener {
  /** More waits than may. */
  full(): void;
  /** Less than half of that waits. */
  drained(): void;
  /** An iterator has dealt with one more fact. */
  dealt(): void;
  /** The last iterator left. */
  abandoned(): void;
}

/** One consumer's place. */
interface Reader {
  /** The next fact that it gets. */
  next: number;
  dealt: Dealt;
  left: boolean;
  wake: (() => void) | undefined;
}

/** The facts that somebody still has to take, and everybody's place among them. */
export interface Journal {
  readonly end: number;
  append(fact: Fact | UnknownFact, bytes: number): void;
  /** Nothing follows: readers end, or fail, once they have taken everything. */
  finish(error?: Error): void;
  /** Readers fail with this at once. */
  abort(error: Error): void;
  iterate(): AsyncIterableIterator<Fact | UnknownFact>;
  /** How far the slowest iterator came, those that left included; undefined where there never was one. */
  readonly dealtByIterators: Dealt | undefined;
  /** Looks again at what waits. */
  review(): void;
}

/** Limits of what may wait, and whether anybody but iterators takes facts. */
export interface JournalOptions {
  readonly undeliveredMax: number;
  readonly undeliveredBytesMax: number;
  readonly hasSubscribers: () => boolean;
  readonly isHidden: (fact: Fact | UnknownFact) => boolean;
}

/**
 * Facts are kept until every iterator took them. Until the first iterator comes they are kept for it; where somebody subscribes and nobody
 * iterates, the oldest are let go, and an iterator that comes too late fails with code `FACTS_RELEASED`.
 */
export function createJournal(options: JournalOptions, listener: JournalListener): Journal {
  const readers = new Set<Reader>();
  let entries: { readonly fact: Fact | UnknownFact; readonly bytes: number; readonly isHidden: boolean }[] = [];
  let first = 0;
  let end = 0;
  let bytesKept = 0;
  let isFull = false;
  let wasIterated = false;
  let finished: { readonly error: Error | undefined } | undefined;
  let broken: Error | undefined;

  const taken = (): number => {
    let index = Infinity;
    for (const reader of readers) if (!reader.left) index = Math.min(index, reader.next);
    if (index !== Infinity) return index;
    return wasIterated ? end : first;
  };

  function release(until: number): void {
    let count = 0;
    while (first < until && count < entries.length) {
      bytesKept -= entries[count]?.bytes ?? 0;
      count += 1;
      first += 1;
    }
    if (count > 0) entries = entries.slice(count);
  }

  function review(): void {
    const next = taken();
    // Letting go one by one would copy the rest each time.
    if (next - first > 64 || next === end) release(next);
    const waiting = end - next;
    const isOver = waiting >= options.undeliveredMax || bytesKept >= options.undeliveredBytesMax;
    if (isOver && !wasIterated && options.hasSubscribers()) release(first + Math.ceil(entries.length / 2));
    else if (isOver && !isFull) {
      isFull = true;
      listener.full();
    } else if (isFull && waiting <= options.undeliveredMax / 2 && bytesKept <= options.undeliveredBytesMax / 2) {
      isFull = false;
      listener.drained();
    }
  }

  function leave(reader: Reader): void {
    if (reader.left) return;
    reader.left = true;
    reader.wake?.();
    review();
    if ([...readers].every(({ left }) => left)) listener.abandoned();
  }

  async function* read(reader: Reader): AsyncGenerator<Fact | UnknownFact, void, undefined> {
    for (;;) {
      if (broken) throw broken;
      const entry = entries[reader.next - first];
      if (entry) {
        reader.next += 1;
        review();
        if (!entry.isHidden && !options.isHidden(entry.fact)) yield entry.fact;
        // Back here: the consumer asked for the next one.
        reader.dealt = { count: reader.next, eventId: entry.fact.eventId };
        listener.dealt();
      } else if (reader.left) return;
      else if (finished) {
        if (finished.error) throw finished.error;
        return;
      } else
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
    }
  }

  return {
    get end() {
      return end;
    },
    get dealtByIterators() {
      if (!wasIterated) return undefined;
      return [...readers].map(({ dealt }) => dealt).reduce((slowest, dealt) => (dealt.count < slowest.count ? dealt : slowest));
    },
    append(fact, bytes) {
      // What closes a question also ends the memory of its answer, and may come before the consumer does.
      entries.push({ fact, bytes, isHidden: options.isHidden(fact) });
      end += 1;
      bytesKept += bytes;
      review();
      for (const reader of readers) reader.wake?.();
    },
    finish(error) {
      finished ??= { error };
      for (const reader of readers) reader.wake?.();
    },
    abort(error) {
      broken ??= error;
      for (const reader of readers) reader.wake?.();
    },
    review,
    iterate() {
      if (first > 0) throw new TaskBridgeClientError('FACTS_RELEASED', FACTS_RELEASED);
      wasIterated = true;
      const reader: Reader = { next: 0, dealt: { count: 0, eventId: null }, left: false, wake: undefined };
      readers.add(reader);
      const generator = read(reader);
      const iterator: AsyncIterableIterator<Fact | UnknownFact> = {
        next: () => generator.next(),
        return: async () => {
          leave(reader);
          await generator.return();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => iterator,
      };
      return iterator;
    },
  };
}

const FACTS_RELEASED =
  'The facts that this iterator begins with were taken and let go already. Iterate at once after observe(), or observe the task again.';
