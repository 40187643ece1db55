import type { FlushOutcome, LaneFlush, Lanes } from '../ports/lanes.ts';
import type { Gauged } from '../observability/gauge-sampler.ts';
import type { Logger, MetricsSink } from '../ports/observability.ts';
import { flushFault } from './lane-value.ts';

/** Flushes of one call of the store, at most. */
const FLUSHES_MAX = 32;
/** So many of its bytes end it, with the flush that reaches them. */
const CALL_BYTES_MAX = 1024 * 1024;

/** What parts are written with. */
export interface PartFlusherDeps {
  readonly lanes: Pick<Lanes, 'flush'>;
  readonly logger?: Logger | undefined;
  readonly metrics?: Pick<MetricsSink, 'incrementCounter'> | undefined;
}

interface WaitingFlush {
  readonly flush: LaneFlush;
  resolve(outcome: FlushOutcome): void;
  reject(error: unknown): void;
}

/** Adds the bytes of all parts of a node to their lanes: what one turn of the event loop brings, of however many tasks, goes to the store together. */
export class PartFlusher {
  readonly #deps: PartFlusherDeps;
  #waiting: WaitingFlush[] = [];
  /** Bytes for which the store has no answer yet. */
  #unsentBytes = 0;

  constructor(deps: PartFlusherDeps) {
    this.#deps = deps;
  }

  /** What the gauges of parts show, now. */
  *gauges(): Generator<Gauged> {
    yield { name: 'part_unsent_bytes', tags: {}, value: this.#unsentBytes };
  }

  /**
   * Adds bytes at the end of a lane, or replaces its value. Rejects with `PAYLOAD_TOO_LARGE` where the part, or the value, would be longer than one may be, and with what the store throws: then it is not known
   * whether they are there, and the same flush says so.
   */
  flush(flush: LaneFlush): Promise<FlushOutcome> {
    const fault = flushFault(flush);
    if (fault) return Promise.reject(fault);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ flush, resolve, reject });
      this.#unsentBytes += flush.bytes.byteLength;
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
    // Its bytes are its caller's again once it is answered.
    const sizes = waiting.map(({ flush }) => flush.bytes.byteLength);
    let outcomes: readonly FlushOutcome[] = [];
    try {
      outcomes = await this.#deps.lanes.flush(waiting.map(({ flush }) => flush));
      for (const [nth, { flush, resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[nth];
        if (outcome === undefined) reject(new Error('The store answered fewer flushes than it was given.'));
        else resolve(outcome);
        if (typeof outcome === 'object') this.#tellLoss(flush, outcome.at);
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
    this.#count(sizes, outcomes);
  }

  #count(sizes: readonly number[], outcomes: readonly FlushOutcome[]): void {
    const { metrics } = this.#deps;
    const flushes = new Map<string, number>();
    let bytes = 0;
    for (const [nth, size] of sizes.entries()) {
      this.#unsentBytes -= size;
      const outcome = countedAs(outcomes[nth]);
      flushes.set(outcome, (flushes.get(outcome) ?? 0) + 1);
      if (outcome === 'written') bytes += size;
    }
    for (const [outcome, count] of flushes) metrics?.incrementCounter('part_flushes_total', count, { outcome });
    if (bytes > 0) metrics?.incrementCounter('part_bytes_total', bytes);
  }

  #tellLoss(flush: LaneFlush, bytes: number): void {
    this.#deps.logger?.warn('The store has lost the end of a part: its writer goes on from there, or its run is given up.', {
      ...{ taskId: flush.fence.taskId, eventId: flush.fence.lane, bytes, written: flush.at },
    });
  }
}

function countedAs(outcome: FlushOutcome | undefined): 'written' | 'fenced' | 'behind' | 'failed' {
  if (outcome === undefined) return 'failed';
  if (outcome === 'ok') return 'written';
  return outcome === 'fenced' ? 'fenced' : 'behind';
}
