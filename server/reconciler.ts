import { addTally, emptyTally, type ReconcileCounts, type Tally } from './attempt/reconcile-counts.ts';
import type { SweepCounts } from './attachment-sweep.ts';
import { TaskBridgeError } from './errors.ts';
import { monotonicMs, type Clock } from './ports/clock.ts';
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
  /** Does what has to be done for a task, `atOnce` also where it rests after a failure. */
  reconcile(taskId: string, atOnce: boolean): Promise<{ readonly tally: ReconcileCounts }>;
  /** With every search. */
  renewLeases(): Promise<void>;
  /** Once an hour, and where somebody asks; never twice at once. The signal ends it. */
  sweep(signal: AbortSignal): Promise<SweepCounts>;
}

/** What `bridge.prune()` did. */
export interface PruneCounts extends Pick<ReconcileCounts, 'questionsExpired' | 'tasksRemoved' | 'failed'> {
  /**
   * Files that no task references: of uploads that ended early, and of tasks that are gone. 0 in the first hour of a process: such a file is only
   * marked when it is first seen, and deleted by a look an hour later, however many looks there are between.
   */
  readonly attachmentsSwept: number;
}

const PAGE = 100;
const SWEEP_MS = 60 * 60 * 1000;

/** Finds tasks that are due, on any node, and has the supervisor do what has to be done for them. One task's failure never stops the others. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  #timer: unknown;
  /** Looks that go on. */
  readonly #looks = new Set<Promise<unknown>>();
  /** What somebody's look has counted: another that shared it does not count it again. */
  readonly #counted = new WeakSet<object>();
  #lastSweep: Promise<unknown> = Promise.resolve();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  readonly #closing = new AbortController();

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
    // A sweep may be long, and what it asks is the host's: it is not waited for.
    this.#closing.abort();
    this.#deps.clock.clearTimeout(this.#timer);
    await Promise.allSettled(this.#looks);
  }

  /** Looks now, and says what it did. Rejects with `STORE_UNAVAILABLE` once it is closed, and with what the store throws. */
  reconcile(): Promise<ReconcileCounts> {
    return this.#whileOpen(() => this.#look());
  }

  /** Looks now and sweeps, and says what it cleared away. Rejects as {@link reconcile} does. */
  prune(): Promise<PruneCounts> {
    return this.#whileOpen(async () => {
      const { questionsExpired, tasksRemoved, failed } = await this.#look();
      const files = await this.#sweep();
      return { questionsExpired, tasksRemoved, attachmentsSwept: files.swept, failed: failed + files.failed };
    });
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #look(): Promise<ReconcileCounts> {
    await this.#deps.time.synchronize();
    await this.#deps.renewLeases();
    return this.#reconcileDue(this.#deps.time.now(), true);
  }

  #sweep(): Promise<SweepCounts> {
    const sweep = this.#lastSweep.then(() => this.#deps.sweep(this.#closing.signal));
    this.#lastSweep = sweep.catch(() => undefined);
    return sweep;
  }

  /** A folder may be large, and tasks do not wait for it. The next one is an hour after this one ended. */
  #sweepBeside(): void {
    this.#sweptAt = Number.POSITIVE_INFINITY;
    void this.#sweep()
      .catch((error: unknown) =>
        this.#deps.logger.warn('Files that are left behind could not be looked for; it is tried again.', { error }),
      )
      .finally(() => (this.#sweptAt = monotonicMs(this.#deps.clock)));
  }

  #whileOpen<T>(look: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new TaskBridgeError('STORE_UNAVAILABLE', 'This server is closed; ask another one.'));
    return this.#noted(look());
  }

  #noted<T>(look: Promise<T>): Promise<T> {
    this.#looks.add(look);
    const forget = (): void => void this.#looks.delete(look);
    look.then(forget, forget);
    return look;
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      void this.#noted(this.#run()).finally(() => this.#arm());
    }, this.#deps.intervalMs);
  }

  async #run(): Promise<void> {
    const { clock, time, logger } = this.#deps;
    try {
      // Before anything is judged by the time: this machine's clock may have been set since.
      await time.synchronize();
      await this.#deps.renewLeases();
      await this.#reconcileDue(time.now());
      if (monotonicMs(clock) - this.#sweptAt >= SWEEP_MS) this.#sweepBeside();
      this.#isFailing = false;
    } catch (error) {
      // Said once for each outage, not with every search in it.
      if (!this.#isFailing) logger.warn('Due tasks could not be looked for; it is tried again.', { error });
      this.#isFailing = true;
    }
  }

  #count(results: readonly { readonly tally: ReconcileCounts }[], sum: Tally): void {
    for (const result of results) {
      if (!this.#counted.has(result)) addTally(sum, result.tally);
      this.#counted.add(result);
    }
  }

  /** Counts only where somebody asked for it. */
  async #reconcileDue(until: number, atOnce = false): Promise<ReconcileCounts> {
    const sum = emptyTally();
    let after: DueTask | undefined;
    for (;;) {
      const page = await this.#deps.store.due(until, PAGE, after);
      const results = await Promise.all(page.map(({ taskId }) => this.#deps.reconcile(taskId, atOnce)));
      if (atOnce) this.#count(results, sum);
      // Many pages of slow tasks must not cost this node the work that it holds.
      await this.#deps.renewLeases();
      after = page.at(-1);
      if (page.length < PAGE || !after || this.#closed) return sum;
    }
  }
}
