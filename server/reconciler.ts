import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/observability.ts';
import type { DueTask, Store } from './ports/store.ts';
import type { StoreClock } from './task/store-clock.ts';

/** What the reconciler works with. */
export interface ReconcilerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Does what has to be done for a task. */
  reconcile(taskId: string): Promise<unknown>;
  /** With every search. */
  renewLeases(): Promise<void>;
  /** Once an hour. */
  sweep(): Promise<void>;
}

const PAGE = 100;
const SWEEP_MS = 60 * 60 * 1000;

/** Finds tasks that are due, on any node, and has the supervisor do what has to be done for them. One task's failure never stops the others. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  #timer: unknown;
  #running: Promise<void> | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #closed = false;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** Reconciles at once every unfinished task where this process owns the store, those that are due elsewhere; then again and again. */
  async start(): Promise<void> {
    await this.#deps.time.synchronize();
    await this.#reconcileDue(this.#deps.store.exclusive ? Number.MAX_SAFE_INTEGER : this.#deps.time.now());
    this.#arm();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#running = this.#run().finally(() => this.#arm());
    }, this.#deps.intervalMs);
  }

  async #run(): Promise<void> {
    const { clock, time, logger } = this.#deps;
    try {
      // Before anything is judged by the time: this machine's clock may have been set since.
      await time.synchronize();
      await this.#deps.renewLeases();
      await this.#reconcileDue(time.now());
      if (clock.now() - this.#sweptAt >= SWEEP_MS) {
        this.#sweptAt = clock.now();
        await this.#deps.sweep();
      }
      this.#isFailing = false;
    } catch (error) {
      // Said once for each outage, not with every search in it.
      if (!this.#isFailing) logger.warn('Due tasks could not be looked for; it is tried again.', { error });
      this.#isFailing = true;
    }
  }

  async #reconcileDue(until: number): Promise<void> {
    let after: DueTask | undefined;
    for (;;) {
      const page = await this.#deps.store.due(until, PAGE, after);
      await Promise.all(page.map(({ taskId }) => this.#deps.reconcile(taskId)));
      // Many pages of slow tasks must not cost this node the work that it holds.
      await this.#deps.renewLeases();
      after = page.at(-1);
      if (page.length < PAGE || !after || this.#closed) return;
    }
  }
}
