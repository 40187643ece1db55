/** Lets a few do something at once; the others wait for their turn, in the order in which they came. */
export class Semaphore {
  /** How many have their turn at once. */
  readonly most: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(most: number) {
    this.most = this.#free = most;
  }

  /** Resolves when it is the caller's turn. Gives what ends the turn, to be called once. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
}
