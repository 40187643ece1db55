import { retryDelayMs } from '../../machines/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { NewestOfTask } from '../ports/lanes.ts';
import type { Logger } from '../ports/observability.ts';
import type { LiveStore } from './live-store.ts';
import { timerAfter } from './timer.ts';
import { storeRetry, type LiveOptions } from './options.ts';
import type { Topic } from './topic.ts';

/** What the repair of lost messages works with. */
export interface RepairDeps {
  readonly store: LiveStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger | undefined;
  /** All tasks that are watched now. */
  readonly topics: () => readonly Topic[];
}

type Newest = Pick<NewestOfTask, 'eventId'> & Partial<Pick<NewestOfTask, 'lanes'>>;

/** Most tasks that the store is asked for in one batch, and in one turn of the event loop: a store in this process reads them in it. */
const BATCH_MAX = 100;

/**
 * Finds what the tail lost. Dense ids show a hole only when the next fact comes, so that a lost last one would never be missed: therefore
 * the store is asked for the newest ids of all watched tasks, in one batch, with every heartbeat and after every interruption.
 */
export class Repair {
  readonly #deps: RepairDeps;
  #cancelNext: (() => void) | undefined;
  #running = false;
  #again = false;
  #stopped = false;
  #failures = 0;

  constructor(deps: RepairDeps) {
    this.#deps = deps;
  }

  /** There is a topic: compares after the next interval, and so on as long as there is one. */
  arm(): void {
    if (this.#stopped || this.#running || this.#cancelNext) return;
    const { clock, options } = this.#deps;
    const pauseMs = this.#failures === 0 ? options.heartbeatMs : retryDelayMs(storeRetry(options), this.#failures);
    this.#cancelNext = timerAfter(clock, pauseMs, () => void this.run());
  }

  /** There is no topic any more. */
  disarm(): void {
    this.#cancelNext?.();
    this.#cancelNext = undefined;
  }

  /** Compares at once. */
  async run(): Promise<void> {
    if (this.#stopped) return;
    this.disarm();
    this.#again = this.#running;
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#compareAll();
      this.#failures = 0;
    } catch (error) {
      this.#failures = Math.min(this.#failures + 1, 16);
      this.#deps.logger?.warn('The store was asked for lost messages and did not answer; it will be asked again.', { error });
    }
    this.#running = false;
    if (this.#again) void this.run();
    else if (this.#deps.topics().length > 0) this.arm();
  }

  /** Ends it for good. */
  stop(): void {
    this.#stopped = true;
    this.disarm();
  }

  async #newest(topics: readonly Topic[]): Promise<readonly Newest[]> {
    const { store } = this.#deps;
    const taskIds = topics.map(({ taskId }) => taskId);
    if (store.lanes && topics.some(({ isShowingParts }) => isShowingParts)) return store.lanes.newest(taskIds);
    return (await store.lastEventIds(taskIds)).map((eventId) => ({ eventId }));
  }

  async #compareAll(): Promise<void> {
    const { clock, topics: watched } = this.#deps;
    const all = watched();
    for (let at = 0; at < all.length; at += BATCH_MAX) {
      const topics = all.slice(at, at + BATCH_MAX);
      for (const topic of topics) topic.mark();
      const newest = await this.#newest(topics);
      if (this.#stopped) return;
      for (const [index, topic] of topics.entries()) topic.compare(newest[index]?.eventId ?? null, newest[index]?.lanes);
      if (at + BATCH_MAX >= all.length) return;
      // Others have their turn.
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 0));
      if (this.#stopped) return;
    }
  }
}
