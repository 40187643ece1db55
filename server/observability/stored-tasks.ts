import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { Gauged } from './gauge-sampler.ts';

/** What the counts of all tasks are asked with. */
export interface StoredTasksDeps {
  readonly store: Pick<Store, 'counts'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often the store is asked, in milliseconds, at most. */
  readonly everyMs: number;
}

/** How many tasks the store has, by type and state: asked in the background, shown as it was known last. */
export class StoredTasks {
  readonly #deps: StoredTasksDeps;
  #shown: readonly Gauged[] = [];
  #askedAt: number | undefined;
  #isAsking = false;

  constructor(deps: StoredTasksDeps) {
    this.#deps = deps;
  }

  /** What was known last; has it asked for anew where that was long ago. */
  gauges(): readonly Gauged[] {
    const { clock, everyMs } = this.#deps;
    const now = monotonicMs(clock);
    if (!this.#isAsking && (this.#askedAt === undefined || now - this.#askedAt >= everyMs)) {
      this.#askedAt = now;
      void this.#ask();
    }
    return this.#shown;
  }

  /** Never rejects: what could not be counted is shown as it was. */
  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const counts = await this.#deps.store.counts();
      this.#shown = counts.map(({ taskType, state, count }) => ({
        name: 'tasks_stored',
        tags: { task_type: taskType, state },
        value: count,
      }));
    } catch (error) {
      this.#deps.logger.warn('The tasks of the store could not be counted; the gauge stays as it was.', { error });
    } finally {
      this.#isAsking = false;
    }
  }
}
