import type { Clock, Logger } from '../../server/ports/index.ts';
import type { Run } from './run.ts';
import type { RunAbout } from './run-deps.ts';

/** A handler may take so long to heed that its task is over, in milliseconds, before somebody is told. */
const HEED_MS = 10_000;

/** Whom the host wants to be told. */
export interface NoticesDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  onError?(error: unknown, about: RunAbout): void | Promise<void>;
}

/** Tells the host what people are not shown. What it is told by may throw; that does no harm. */
export class Notices {
  readonly #deps: NoticesDeps;
  /** Handlers that go on though their task has been over for so long. */
  #abandoned = 0;
  readonly #watched = new WeakSet<Run>();

  constructor(deps: NoticesDeps) {
    this.#deps = deps;
  }

  /** Of an error that failed a task. */
  failed(error: unknown, about: RunAbout): void {
    const { logger } = this.#deps;
    void this.#tell(() =>
      logger.error('A handler failed its task. People are told only that it failed: throw a TaskFailure to tell them more.', {
        ...about,
        error,
      }),
    );
    void this.#tell(() => this.#deps.onError?.(error, about));
  }

  /** Of a handler whose task is over, if it goes on for long, and how many there are. */
  watch(run: Run, why: string): void {
    const { clock, logger } = this.#deps;
    // It may be told more than once that it is over.
    if (this.#watched.has(run)) return;
    this.#watched.add(run);
    let counted = 0;
    const timer = clock.setTimeout(() => {
      this.#abandoned += counted = 1;
      const fields = { ...run.about, why, abandoned: this.#abandoned };
      logger.warn('A handler goes on though its task is over; it has to heed task.signal.', fields);
    }, HEED_MS);
    void run.run().finally(() => {
      clock.clearTimeout(timer);
      this.#abandoned -= counted;
    });
  }

  /** A sink of the host, or a getter of what was thrown, may throw itself. */
  async #tell(tell: () => void | Promise<void>): Promise<void> {
    try {
      await tell();
    } catch {
      this.#deps.logger.error('An error of a handler could not be told: what was to tell it failed.');
    }
  }
}
