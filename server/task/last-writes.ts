import { monotonicMs, type Clock } from '../ports/clock.ts';

/** A write that the store did not take. */
interface FailedWrite {
  readonly error: unknown;
  readonly at: number;
}

/**
 * How the last writes of this process went. A store can be read that takes nothing: its disk is full, it is at its memory's limit, another process
 * owns it. There is no write to ask it with, without a task; so what tasks need decides.
 */
export class LastWrites {
  readonly #clock: Clock;
  readonly #readyAgainMs: number;
  #failed: FailedWrite | undefined;

  constructor(clock: Clock, readyAgainMs: number) {
    this.#clock = clock;
    this.#readyAgainMs = readyAgainMs;
  }

  /**
   * Waits for a write and notes how it went. It makes good what failed before where `proves` says so of its answer: a conflict wrote nothing,
   * and what needs no room says nothing of what does.
   */
  note<T>(write: Promise<T>, proves: (answer: T) => boolean): Promise<T> {
    return write.then(
      (answer) => {
        if (proves(answer)) this.#failed = undefined;
        return answer;
      },
      (error: unknown) => {
        this.#failed = { error, at: monotonicMs(this.#clock) };
        throw error;
      },
    );
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
