import { limits } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { FlushOutcome, LaneFlush, Lanes } from '../ports/lanes.ts';
import type { Logger } from '../ports/observability.ts';

/** Flushes of one call of the store, at most. */
const FLUSHES_MAX = 32;
/** So many of its bytes end it, with the flush that reaches them. */
const CALL_BYTES_MAX = 1024 * 1024;

interface WaitingFlush {
  readonly flush: LaneFlush;
  resolve(outcome: FlushOutcome): void;
  reject(error: unknown): void;
}

/** Adds the bytes of all parts of a node to their lanes: what one turn of the event loop brings, of however many tasks, goes to the store together. */
export class PartFlusher {
  readonly #lanes: Pick<Lanes, 'flush'>;
  readonly #logger: Logger | undefined;
  #waiting: WaitingFlush[] = [];

  constructor(lanes: Pick<Lanes, 'flush'>, logger?: Logger) {
    this.#lanes = lanes;
    this.#logger = logger;
  }

  /**
   * Adds bytes at the end of a lane. Rejects with `PAYLOAD_TOO_LARGE` where the part would be longer than one may be, and with what the store throws: then it is not known
   * whether they are there, and the same flush says so.
   */
  flush(flush: LaneFlush): Promise<FlushOutcome> {
    const bytes = flush.at + flush.bytes.byteLength;
    if (bytes > limits.partBytesMax)
      return Promise.reject(
        new TaskBridgeError('PAYLOAD_TOO_LARGE', `A part of ${bytes} bytes was not written: one may have ${limits.partBytesMax}.`, {
          details: { bytes, bytesMax: limits.partBytesMax },
        }),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ flush, resolve, reject });
      // Not by a timer: that is one more turn of a busy event loop, in which nothing else would come.
      if (this.#waiting.length === 1) setImmediate(() => this.#sendAll());
    });
  }

  #sendAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length;) {
      let to = from;
      for (let bytes = 0; to < waiting.length && to - from < FLUSHES_MAX && bytes < CALL_BYTES_MAX; to++)
        bytes += waiting[to]?.flush.bytes.byteLength ?? 0;
      void this.#send(waiting.slice(from, to));
      from = to;
    }
  }

  /** Those of one lane are in one call, or in none: each waits for the answer of the one before. */
  async #send(waiting: readonly WaitingFlush[]): Promise<void> {
    try {
      const outcomes = await this.#lanes.flush(waiting.map(({ flush }) => flush));
      for (const [nth, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[nth];
        if (outcome === undefined) reject(new Error('The store answered fewer flushes than it was given.'));
        else resolve(outcome);
        if (typeof outcome === 'object') this.#tellLoss(waiting[nth]?.flush, outcome.at);
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  #tellLoss(flush: LaneFlush | undefined, bytes: number): void {
    this.#logger?.warn('The store has lost the end of a part: its writer goes on from there, or its run is given up.', {
      ...{ taskId: flush?.fence.taskId, eventId: flush?.fence.lane, bytes, written: flush?.at },
    });
  }
}
