import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { MetricsSink } from '../ports/observability.ts';

/** A write that the store did not take. */
interface FailedWrite {
  readonly error: unknown;
  readonly at: number;
}

/** What is written: a commit, a new task, or one that goes. */
type WriteName = 'append' | 'create' | 'remove';

/** What an answer of the store says. */
interface WriteTest<T> {
  readonly isWritten: (answer: T) => boolean;
  /** It shows that the store has room. Defaults to whatever is written. */
  readonly proves?: (answer: T) => boolean;
}

/**
 * How the last writes of this process went. A store can be read that takes nothing: its disk is full, it is at its memory's limit, another process
 * owns it. There is no write to ask it with, without a task; so what tasks need decides.
 */
export class LastWrites {
  readonly #clock: Clock;
  readonly #readyAgainMs: number;
  readonly #metrics: Pick<MetricsSink, 'observeHistogram'> | undefined;
  #failed: FailedWrite | undefined;

  constructor(clock: Clock, readyAgainMs: number, metrics: Pick<MetricsSink, 'observeHistogram'> | undefined) {
    this.#clock = clock;
    this.#readyAgainMs = readyAgainMs;
    this.#metrics = metrics;
  }

  /**
   * Waits for a write and notes how it went, and how long it took. It makes good what failed before where `proves` says so of its answer: a conflict wrote nothing,
   * and what needs no room says nothing of what does.
   */
  async note<T>(name: WriteName, write: Promise<T>, { isWritten, proves = isWritten }: WriteTest<T>): Promise<T> {
    const from = this.begun();
    try {
      const answer = await write;
      this.answered(name, from, isWritten(answer), proves(answer));
      return answer;
    } catch (error) {
      this.failed(name, from, error);
      throw error;
    }
  }

  /** The same for whoever waits himself: when a write began. */
  begun(): number {
    return monotonicMs(this.#clock);
  }

  /** It has its answer. */
  answered(name: WriteName, from: number, isWritten: boolean, proves: boolean): void {
    if (proves) this.#failed = undefined;
    this.#observe(name, isWritten ? 'written' : 'refused', from);
  }

  /** It has none, or was not taken. */
  failed(name: WriteName, from: number, error: unknown): void {
    this.#failed = { error, at: monotonicMs(this.#clock) };
    this.#observe(name, 'failed', from);
  }

  #observe(write: WriteName, outcome: string, from: number): void {
    if (!this.#metrics?.observeHistogram) return;
    this.#metrics.observeHistogram('store_write_seconds', (monotonicMs(this.#clock) - from) / 1000, { write, outcome });
  }

  /**
   * Why the store is taken for one that takes nothing; undefined where the last write succeeded, and where none was tried for `readyAgainMs` after
   * one failed: a node that nobody asks any more would never find out.
   */
  get failure(): { readonly error: unknown } | undefined {
    if (this.#failed && monotonicMs(this.#clock) - this.#failed.at >= this.#readyAgainMs) this.#failed = undefined;
    return this.#failed;
  }
}
