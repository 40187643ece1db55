import { addTally, emptyTally, type ReconcileCounts, type Tally } from './attempt/reconcile-counts.ts';
import type { Offer } from './attempt/offers.ts';
import type { SweepCounts } from './attachment-sweep.ts';
import { TaskBridgeError } from './errors.ts';
import type { Backfill } from './lists/backfill.ts';
import { monotonicMs, type Clock } from './ports/clock.ts';
import type { TaskExecutor } from './ports/executor.ts';
import type { Logger } from './ports/observability.ts';
import type { WorkRegistry } from './ports/store.ts';
import type { HeldBack } from './shares/held-back.ts';
import type { Recounts } from './shares/recount.ts';
import type { StoreClock } from './task/store-clock.ts';

/** What was done for one task. */
type Visit = Promise<{ readonly tally: ReconcileCounts }>;

/** What the reconciler works with. */
export interface ReconcilerDeps {
  readonly store: Pick<WorkRegistry, 'take'>;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Does what has to be done for a task, `atOnce` also where it rests after a failure. */
  reconcile(taskId: string, atOnce: boolean): Visit;
  /** What this node could begin, each made when it is asked for. */
  offers(): Iterable<Offer>;
  /** True where this node could begin work of that executor. */
  hasRoom(executor: TaskExecutor): boolean;
  /** Tasks that rest here after a failure. */
  resting(): readonly string[];
  /** Visits that wait for an executor, at most. */
  waiting(): number;
  /** Gives up what is held by nodes that are gone. Never rejects. */
  lookForLostNodes(): Promise<void>;
  readonly heldBack: Pick<HeldBack, 'owners' | 'look'>;
  readonly recounts: Pick<Recounts, 'step'>;
  readonly backfill: Pick<Backfill, 'step'>;
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

/** Due tasks of one look. */
const PAGE = 100;
/** So long nobody else is shown what this node was shown. */
const HIDE_MS = 5000;
/** Tasks that are visited at once, those not counted that wait for an executor. */
const VISITS_MAX = 500;
const SWEEP_MS = 60 * 60 * 1000;

/**
 * Finds what is ripe, on any node, and has the supervisor do what has to be done: tasks that are due, and work that waits, as much of it as this
 * node has room for. A look waits for no visit, so one task's failure, or an executor that does not answer, never stops the others.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  #timer: unknown;
  #soon: unknown;
  #background: Promise<void> | undefined;
  /** As many were due as one look takes. */
  #isDueFull = false;
  /** Executors of which more may wait than there was room for. */
  readonly #short = new Set<TaskExecutor>();
  /** Something changed since the last look began. */
  #again = false;
  #visits = 0;
  /** What somebody asked for, and the sweeps. */
  readonly #asked = new Set<Promise<unknown>>();
  /** What somebody's look has counted: another that shared it does not count it again. */
  readonly #counted = new WeakSet<object>();
  #lastSweep: Promise<unknown> = Promise.resolve();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  readonly #closing = new AbortController();

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** Learns the store's time. The first look is in a later turn: nothing that it finds keeps whoever started this from going on. */
  async start(): Promise<void> {
    await this.#deps.time.synchronize();
    this.#arm(0);
  }

  async close(): Promise<void> {
    // A sweep may be long, and what it asks is the host's: it is not waited for.
    this.#closing.abort();
    this.#deps.clock.clearTimeout(this.#timer);
    this.#deps.clock.clearTimeout(this.#soon);
    await Promise.allSettled([...this.#asked, this.#background]);
  }

  /** Looks again in a later turn, where more may be ripe than was taken and there is room for it. */
  lookSoon(): void {
    if (this.#closed || this.#background || this.#soon !== undefined || !this.#mayGoOn) return;
    this.#soon = this.#deps.clock.setTimeout(() => {
      this.#soon = undefined;
      this.#lookInBackground().catch((error: unknown) => this.#warn(error));
    }, 0);
  }

  /** Work became ready; where an executor is named, there was no room for it. */
  noteReady(executor?: TaskExecutor): void {
    if (executor) this.#short.add(executor);
    this.#again ||= !executor || this.#background !== undefined;
    this.lookSoon();
  }

  /** Looks now, and says what it did. Rejects with `STORE_UNAVAILABLE` once it is closed, and with what the store throws. */
  reconcile(): Promise<ReconcileCounts> {
    return this.#whileOpen(() => this.#lookAndCount());
  }

  /** Looks now and sweeps, and says what it cleared away. Rejects as {@link reconcile} does. */
  prune(): Promise<PruneCounts> {
    return this.#whileOpen(async () => {
      const { questionsExpired, tasksRemoved, failed } = await this.#lookAndCount();
      const files = await this.#sweep();
      return { questionsExpired, tasksRemoved, attachmentsSwept: files.swept, failed: failed + files.failed };
    });
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get #mayVisit(): boolean {
    return this.#visits - this.#deps.waiting() < VISITS_MAX;
  }

  get #mayGoOn(): boolean {
    return (this.#isDueFull || this.#again || this.#hasRoomForShort) && this.#mayVisit;
  }

  get #hasRoomForShort(): boolean {
    for (const executor of this.#short) if (this.#deps.hasRoom(executor)) return true;
    return false;
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
    const asked = look();
    this.#asked.add(asked);
    const forget = (): void => void this.#asked.delete(asked);
    asked.then(forget, forget);
    return asked;
  }

  #arm(ms: number): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      void this.#run().finally(() => this.#arm(this.#deps.intervalMs));
    }, ms);
  }

  async #run(): Promise<void> {
    const { clock, time } = this.#deps;
    try {
      // Before anything is judged by the time: this machine's clock may have been set since.
      await time.synchronize();
      await this.#deps.heldBack.look();
      await this.#lookInBackground();
      this.#deps.recounts.step();
      this.#deps.backfill.step();
      if (monotonicMs(clock) - this.#sweptAt >= SWEEP_MS) this.#sweepBeside();
      this.#isFailing = false;
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Looks as long as there is more and room for it, and leaves what it found to its visits. */
  #lookInBackground(): Promise<void> {
    this.#background ??= this.#lookOn().finally(() => (this.#background = undefined));
    return this.#background;
  }

  async #lookOn(): Promise<void> {
    if (!this.#mayVisit) return;
    do {
      for (const taskId of await this.#take()) void this.#visit(taskId, false);
      // Others have their turn.
      await new Promise<void>((resolve) => this.#deps.clock.setTimeout(resolve, 0));
    } while (this.#mayGoOn && !this.#closed);
  }

  /** Looks once, and visits what it finds and what rests, page by page. */
  async #lookAndCount(): Promise<ReconcileCounts> {
    await this.#deps.time.synchronize();
    await this.#deps.lookForLostNodes();
    const sum = emptyTally();
    const seen = new Set<string>();
    let found: readonly string[] = this.#deps.resting();
    do {
      const unseen = found.filter((taskId) => !seen.has(taskId));
      for (const taskId of unseen) seen.add(taskId);
      this.#count(await Promise.all(unseen.map((taskId) => this.#visit(taskId, true))), sum);
      found = await this.#take();
    } while (found.length > 0 && !this.#closed);
    return sum;
  }

  /** One look: what is due, and what this node has room for. */
  async #take(): Promise<readonly string[]> {
    const found = new Set<string>();
    this.#again = false;
    let isDueFull = false;
    for (const { executor, types, readyMax, settle } of this.#deps.offers()) {
      let ready: readonly string[] = [];
      try {
        const without = this.#deps.heldBack.owners;
        const taken = await this.#deps.store.take({
          types,
          dueMax: PAGE,
          readyMax,
          hideMs: HIDE_MS,
          ...(without.length > 0 && { without }),
        });
        for (const taskId of [...taken.due, ...taken.ready]) found.add(taskId);
        ({ ready } = taken);
        isDueFull ||= taken.due.length >= PAGE;
        // Where there was no room nobody knows.
        if (ready.length < readyMax) this.#short.delete(executor);
        else this.#short.add(executor);
      } finally {
        settle(ready);
      }
    }
    this.#isDueFull = isDueFull;
    return [...found];
  }

  async #visit(taskId: string, atOnce: boolean): Visit {
    this.#visits += 1;
    try {
      return await this.#deps.reconcile(taskId, atOnce);
    } finally {
      this.#visits -= 1;
      this.lookSoon();
    }
  }

  /** Said once for each outage, not with every look in it. */
  #warn(error: unknown): void {
    if (!this.#isFailing && !this.#closed) this.#deps.logger.warn('Due tasks could not be looked for; it is tried again.', { error });
    this.#isFailing = true;
  }

  #count(results: readonly { readonly tally: ReconcileCounts }[], sum: Tally): void {
    for (const result of results) {
      if (!this.#counted.has(result)) addTally(sum, result.tally);
      this.#counted.add(result);
    }
  }
}
