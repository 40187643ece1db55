import type { Clock } from '../ports/clock.ts';

/** Gives a promise a limit: rejects when it has not settled in time. What it stands for may still happen. */
export function withTimeLimit<T>({ clock }: { readonly clock: Clock }, ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(noAnswerWithin(ms)), ms);
    promise.then(
      (answer) => {
        clock.clearTimeout(timer);
        resolve(answer);
      },
      (error: Error) => {
        clock.clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** What a promise rejects with that has not settled in time. */
export function noAnswerWithin(ms: number): Error {
  return new Error(`No answer within ${ms} milliseconds.`);
}

/** One limit for several waits: it is over when nothing was heard for so many milliseconds, and stays over. */
export class SilenceLimit {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #over: Promise<void>;
  #end: () => void = () => undefined;
  #timer: unknown;
  #isOver = false;

  constructor({ clock }: { readonly clock: Clock }, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
    this.#over = new Promise((resolve) => (this.#end = resolve));
    this.heard();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Something was heard: the time begins anew. */
  heard(): void {
    if (this.#isOver) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => {
      this.#isOver = true;
      this.#end();
    }, this.#ms);
  }

  /** Resolves when this has settled, or the limit is over; never rejects. What it stands for may still happen. */
  async wait(promise: Promise<unknown>): Promise<void> {
    await Promise.race([promise.catch(() => undefined), this.#over]);
  }

  /** Nobody waits any more. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}
