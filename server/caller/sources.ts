import { Readable } from 'node:stream';
import { TaskBridgeError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

/** What content is read from, chunk by chunk. */
export type Source = AsyncIterable<unknown> | Iterable<unknown>;

/** The time that all sources of one create have together, from now on. */
export class SourceLimit {
  readonly #clock: Clock;
  readonly #timer: unknown;
  #failure: Error | undefined;
  #giveUp: ((error: Error) => void) | undefined;

  /** `late` is told first: an attachment store may wrap what its source throws. */
  constructor(clock: Clock, ms: number, late: (error: Error) => void) {
    this.#clock = clock;
    this.#timer = clock.setTimeout(() => {
      const error = new TaskBridgeError('INVALID_REQUEST', `The attachments were not read within ${ms} ms; send the request again.`);
      late(error);
      this.#stop(error);
    }, ms);
  }

  /** Passes a source on, and throws where its next chunk comes too late. Ends it when no more of it is wanted. */
  async *read(source: Source): AsyncGenerator<unknown> {
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    let isWhole = false;
    try {
      for (;;) {
        const step = await this.#inTime(async () => iterator.next());
        isWhole = step.done === true;
        if (isWhole) return;
        yield step.value;
      }
    } finally {
      if (!isWhole) endSource(source, iterator);
    }
  }

  /** No more is read. */
  end(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#stop(new Error('No more of this content is wanted.'));
  }

  #stop(error: Error): void {
    this.#failure ??= error;
    this.#giveUp?.(error);
  }

  /** No race with one promise for all: that would hold every chunk until the last one has come. */
  #inTime<T>(next: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#giveUp = reject;
      next().then(resolve, reject);
    });
  }
}

/** Hears a stream's errors until its turn has come, when reading it gives them: one that nobody hears would end the host's process. */
export function hearErrors(content: unknown): void {
  if (content instanceof Readable) content.on('error', () => undefined);
}

/**
 * Ends a source that is not read to its end. Nobody waits for that: a generator that hangs ends when it goes on, if ever, while a stream is
 * destroyed at once.
 */
export function endSource(content: unknown, iterator: object = {}): void {
  for (const [holder, verb] of [
    [content, 'destroy'],
    [content, 'cancel'],
    [content, 'return'],
    [iterator, 'return'],
  ] as const) {
    if (typeof holder !== 'object' || holder === null || !(verb in holder)) continue;
    const ended = async (): Promise<unknown> => (holder as Record<string, () => unknown>)[verb]?.();
    // What it says to its end is of no use: the create has its own answer.
    return void ended().catch(() => undefined);
  }
}
