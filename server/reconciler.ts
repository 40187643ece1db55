import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/observability.ts';
import type { DueTask, Store } from './ports/store.ts';
import type { StoreClock } from './task/store-clock.ts';

/** What the reconciler works with. */
export interface ReconcilerContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly logger: Logger;
  readonly intervalMs: number;
  visit(taskId: string): Promise<unknown>;
  /** At every turn. */
  keepLeases(): Promise<void>;
  /** Once an hour. */
  sweep(): Promise<void>;
}

const PAGE = 100;
const SWEEP_MS = 60 * 60 * 1000;

/** Finds tasks that are due, on any node, and has them looked after. One task's failure never stops the others. */
export class Reconciler {
  readonly #context: ReconcilerContext;
  #timer: unknown;
  #running: Promise<void> | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #closed = false;

  constructor(context: ReconcilerContext) {
    this.#context = context;
  }

  /** Looks at once at every unfinished task where this process owns the store, at those that are due elsewhere; then again and again. */
  async start(): Promise<void> {
    await this.#context.time.synchronize();
    await this.#look(this.#context.store.exclusive ? Number.MAX_SAFE_INTEGER : this.#context.time.now());
    this.#arm();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#context.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#context.clock.setTimeout(() => {
      this.#running = this.#turn().finally(() => this.#arm());
    }, this.#context.intervalMs);
  }

  async #turn(): Promise<void> {
    const { clock, time, logger } = this.#context;
    try {
      // Before anything is judged by the time: this machine's clock may have been set since.
      await time.synchronize();
      await this.#context.keepLeases();
      await this.#look(time.now());
      if (clock.now() - this.#sweptAt >= SWEEP_MS) {
        this.#sweptAt = clock.now();
        await this.#context.sweep();
      }
      this.#isFailing = false;
    } catch (error) {
      // Said once for each outage, not at every turn of it.
      if (!this.#isFailing) logger.warn('Due tasks could not be looked for; it is tried again.', { error });
      this.#isFailing = true;
    }
  }

  async #look(until: number): Promise<void> {
    let after: DueTask | undefined;
    for (;;) {
      const page = await this.#context.store.due(until, PAGE, after);
      await Promise.all(page.map(({ taskId }) => this.#context.visit(taskId)));
      // Many pages of slow visits must not cost this node the work that it holds.
      await this.#context.keepLeases();
      after = page.at(-1);
      if (page.length < PAGE || !after || this.#closed) return;
    }
  }
}
