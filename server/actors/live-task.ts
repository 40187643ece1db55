import { fold, isTerminal, retryDelayMs, type Aggregate, type RetryPolicy } from '../../machines/index.ts';
import { compareEventIds, type Fact } from '../../machines/wire/index.ts';
import { positionOf } from '../live/log-position.ts';
import { readAfter } from '../live/log-read.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { TaskAbout } from '../task/about.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { FedActor } from './task-actor.ts';

/** What a live task works with. */
export interface LiveTaskDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It has nobody to tell any more, or nothing to tell. */
  onRetired(): void;
}

/** How often a log that could not be read is read again. */
const readRetry: RetryPolicy = { baseMs: 1_000, maxMs: 30_000, triesMax: Infinity, jitter: 0 };
const PAGE = { facts: 500, bytes: 4 * 1024 * 1024 };

/** The log of one task, followed for the actors of all its holders. */
export class LiveTask {
  readonly about: TaskAbout;
  readonly #deps: LiveTaskDeps;
  readonly #actors = new Set<FedActor>();
  #aggregate: Aggregate;
  #isRetired = false;
  #reading: Promise<void> | undefined;
  #again = false;
  /** Reads that failed one after the other. */
  #failures = 0;
  #retryTimer: unknown;

  constructor({ about, aggregate }: Pick<TaskRecord, 'about' | 'aggregate'>, deps: LiveTaskDeps) {
    this.about = about;
    this.#aggregate = aggregate;
    this.#deps = deps;
  }

  get aggregate(): Aggregate {
    return this.#aggregate;
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Shows an actor what comes, until it leaves. */
  join(fed: FedActor): void {
    this.#actors.add(fed);
  }

  /** The last one to leave ends it. */
  leave(fed: FedActor): void {
    this.#actors.delete(fed);
    if (this.#actors.size === 0) this.retire();
  }

  /** Stops all of its actors. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#deps.clock.clearTimeout(this.#retryTimer);
    this.#deps.onRetired();
    for (const { actor } of this.#actors) actor.stop();
  }

  /** Reads what was committed since, one read at a time. */
  advance(): void {
    if (this.#isRetired) return;
    this.#again = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      if (this.#again) this.advance();
    });
  }

  async #read(): Promise<void> {
    const { store, logger, clock } = this.#deps;
    const { taskId } = this.about;
    try {
      while (this.#again && !this.#isRetired) {
        this.#again = false;
        const cursor = positionOf(this.#aggregate.lastEventId);
        const run = await readAfter(store, taskId, cursor, PAGE);
        if (!run) return this.retire();
        if (run.gap || run.after !== cursor.n) {
          // It would show another task than the log says from here on. Whoever asks again gets one that begins at the head.
          logger.warn('A live actor stops: what follows the last fact that it has seen is no longer there.', { taskId, last: cursor.n });
          return this.retire();
        }
        // Facts of our own log, checked when they were written.
        for (const { bytes } of run.entries) this.#feed(JSON.parse(Buffer.from(bytes).toString('utf8')) as Fact);
        if (positionOf(this.#aggregate.lastEventId).n < run.last.n) this.#again = true;
        this.#failures = 0;
      }
    } catch (error) {
      const pauseMs = retryDelayMs(readRetry, this.#failures++);
      logger.warn('A live actor could not read its log; it is tried again.', { taskId, pauseMs, error });
      // What was committed last may be the end, after which no commit would ask again.
      clock.clearTimeout(this.#retryTimer);
      if (!this.#isRetired) this.#retryTimer = clock.setTimeout(() => this.advance(), pauseMs);
    }
  }

  #feed(fact: Fact): void {
    const { lastEventId } = this.#aggregate;
    if (this.#isRetired || (lastEventId !== null && (compareEventIds(fact.eventId, lastEventId) ?? 1) <= 0)) return;
    this.#aggregate = fold(this.#aggregate, fact);
    const hasEnded = isTerminal(this.#aggregate.task);
    // A copy: who hears of it may stop his own, or ask for another.
    for (const fed of [...this.#actors]) {
      // Those that are done are held by nobody here.
      if (hasEnded) this.#actors.delete(fed);
      fed.feed(this.#aggregate, fact, fact.type === 'TASK_COMPLETED' ? fact.payload.result : undefined);
    }
    if (hasEnded) this.retire();
  }
}
