import type { Fact, UnknownFact } from '../../machines/wire/index.ts';
import { TaskBridgeClientError } from '../errors.ts';

/** How far a consumer came: so many facts of this observation, the last of them this one. */
export interface AckPosition {
  readonly count: number;
  readonly eventId: string | null;
}

/** Told of what consumers do. */
export interface DeliveryBufferListener {
  /** More waits than may. */
  full(): void;
  /** Less than half of that waits. */
  drained(): void;
  /** An iterator has acknowledged one more fact. */
  acked(): void;
  /** The last iterator left. */
  abandoned(): void;
}

/** One iterator's place among the facts. */
interface IteratorPlace {
  /** The next fact that it gets. */
  next: number;
  acked: AckPosition;
  hasLeft: boolean;
  wake: (() => void) | undefined;
}

/** The facts that somebody still has to take, and everybody's place among them. */
export interface DeliveryBuffer {
  readonly end: number;
  append(fact: Fact | UnknownFact, bytes: number): void;
  /** Nothing follows: iterators end, or fail, once they have taken everything. */
  finish(error?: Error): void;
  /** Iterators fail with this at once. */
  abort(error: Error): void;
  iterate(): AsyncIterableIterator<Fact | UnknownFact>;
  /** How far the slowest iterator came, those that left included; undefined where there never was one. */
  readonly ackedByIterators: AckPosition | undefined;
  /** Looks again at what waits. */
  review(): void;
}

/** How much may wait, and what the observation knows of its consumers. */
export interface DeliveryBufferDeps {
  readonly undeliveredMax: number;
  readonly undeliveredBytesMax: number;
  readonly hasSubscribers: () => boolean;
  readonly isHidden: (fact: Fact | UnknownFact) => boolean;
}

interface Entry {
  readonly fact: Fact | UnknownFact;
  readonly bytes: number;
}

/** The facts that are kept: the oldest are let go, and each keeps its number. */
function createBacklog() {
  let entries: Entry[] = [];
  const backlog = {
    /** The number of the oldest that is kept, and of the next that comes. */
    first: 0,
    end: 0,
    bytes: 0,
    at: (index: number): Entry | undefined => entries[index - backlog.first],
    add(entry: Entry): void {
      entries.push(entry);
      backlog.end += 1;
      backlog.bytes += entry.bytes;
    },
    release(until: number): void {
      const gone = entries.slice(0, Math.max(0, until - backlog.first));
      if (gone.length === 0) return;
      for (const { bytes } of gone) backlog.bytes -= bytes;
      backlog.first += gone.length;
      entries = entries.slice(gone.length);
    },
  };
  return backlog;
}

/** The places of all iterators, also of those that left. */
function createPlaces() {
  const places = new Set<IteratorPlace>();
  return {
    get isEmpty(): boolean {
      return places.size === 0;
    },
    get haveAllLeft(): boolean {
      return [...places].every(({ hasLeft }) => hasLeft);
    },
    get slowest(): AckPosition | undefined {
      if (places.size === 0) return undefined;
      return [...places].map(({ acked }) => acked).reduce((slowest, acked) => (acked.count < slowest.count ? acked : slowest));
    },
    /** What the slowest that is still there gets next; infinite where nobody is. */
    get next(): number {
      return Math.min(...[...places].map(({ hasLeft, next }) => (hasLeft ? Infinity : next)));
    },
    add(): IteratorPlace {
      const place: IteratorPlace = { next: 0, acked: { count: 0, eventId: null }, hasLeft: false, wake: undefined };
      places.add(place);
      return place;
    },
    /** False where it has left before. */
    leave(place: IteratorPlace): boolean {
      if (place.hasLeft) return false;
      place.hasLeft = true;
      place.wake?.();
      return true;
    },
    wake(): void {
      for (const place of places) place.wake?.();
    },
  };
}

/**
 * Facts are kept until every iterator took them. Until the first iterator comes they are kept for it; where somebody subscribes and nobody
 * iterates, the oldest are let go, and an iterator that comes too late fails with code `FACTS_RELEASED`.
 */
export function createDeliveryBuffer(deps: DeliveryBufferDeps, listener: DeliveryBufferListener): DeliveryBuffer {
  const { undeliveredMax, undeliveredBytesMax } = deps;
  const backlog = createBacklog();
  const places = createPlaces();
  let isFull = false;
  let finished: { readonly error: Error | undefined } | undefined;
  let broken: Error | undefined;

  function review(): void {
    const { first, end } = backlog;
    const next = Math.min(places.next, places.isEmpty ? first : end);
    // Letting go one by one would copy the rest each time.
    if (next - first > 64 || next === end) backlog.release(next);
    const waiting = end - next;
    const isOver = waiting >= undeliveredMax || backlog.bytes >= undeliveredBytesMax;
    if (isOver && places.isEmpty && deps.hasSubscribers()) backlog.release(first + Math.ceil((end - first) / 2));
    else if (isOver !== isFull && (isOver || (waiting <= undeliveredMax / 2 && backlog.bytes <= undeliveredBytesMax / 2))) {
      isFull = isOver;
      if (isFull) listener.full();
      else listener.drained();
    }
  }

  async function* read(place: IteratorPlace): AsyncGenerator<Fact | UnknownFact, void, undefined> {
    for (;;) {
      if (broken) throw broken;
      const entry = backlog.at(place.next);
      if (entry) {
        place.next += 1;
        review();
        if (!deps.isHidden(entry.fact)) yield entry.fact;
        // Back here: the consumer asked for the next one.
        place.acked = { count: place.next, eventId: entry.fact.eventId };
        listener.acked();
      } else if (place.hasLeft) return;
      else if (finished) {
        if (finished.error) throw finished.error;
        return;
      } else await new Promise<void>((resolve) => (place.wake = resolve));
    }
  }

  function leave(place: IteratorPlace): void {
    if (!places.leave(place)) return;
    review();
    if (places.haveAllLeft) listener.abandoned();
  }

  return {
    get end() {
      return backlog.end;
    },
    get ackedByIterators() {
      return places.slowest;
    },
    append(fact, bytes) {
      backlog.add({ fact, bytes });
      review();
      places.wake();
    },
    finish(error) {
      finished ??= { error };
      places.wake();
    },
    abort(error) {
      broken ??= error;
      places.wake();
    },
    review,
    iterate() {
      if (backlog.first > 0) throw new TaskBridgeClientError('FACTS_RELEASED', FACTS_RELEASED);
      const place = places.add();
      return iteratorOf(read(place), () => leave(place));
    },
  };
}

/** Leaves at once where a generator would first come back from what it waits for. */
function iteratorOf<T>(generator: AsyncGenerator<T, void, undefined>, leave: () => void): AsyncIterableIterator<T> {
  const iterator: AsyncIterableIterator<T> = {
    next: () => generator.next(),
    return: async () => {
      leave();
      await generator.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

const FACTS_RELEASED =
  'The facts that this iterator begins with were taken and let go already. Iterate at once after observe(), or observe the task again.';
