import { cpuMicroseconds } from '../own-process.ts';

/** Counts tasks that have ended, and says when it were enough. */
export class EndCount {
  #ended = 0;
  #wanted = Infinity;
  #reached: ((cpuUs: number) => void) | undefined;

  /** One more has ended. */
  count(): void {
    this.#ended += 1;
    if (this.#ended < this.#wanted) return;
    // Asked once: to ask at every end costs a tenth of a task.
    this.#reached?.(cpuMicroseconds());
    this.#wanted = Infinity;
  }

  /** Resolves when so many have ended since the beginning, with the processor time of this process by then, in microseconds. */
  reached(tasks: number): Promise<number> {
    if (this.#ended >= tasks) return Promise.resolve(cpuMicroseconds());
    this.#wanted = tasks;
    return new Promise((resolve) => (this.#reached = resolve));
  }
}
