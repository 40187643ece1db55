import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import type { Clock, ServerChance } from '../../server/ports/index.ts';
import type { RunDeps } from './run-deps.ts';

/** How often a report is sent again while the store is away: for as long as the attempt counts. */
const reportRetry: RetryPolicy = { baseMs: 100, maxMs: 5000, triesMax: Infinity, jitter: 0.2 };

/** When a run sends a report again. */
export function reportRetries({
  clock,
  chance,
}: {
  readonly clock: Clock;
  readonly chance: ServerChance;
}): Pick<RunDeps, 'pause' | 'isFinal'> {
  return {
    pause: (retry) =>
      new Promise<void>((resolve) => {
        clock.setTimeout(resolve, retryDelayMs(reportRetry, retry, chance.fraction()));
      }),
    isFinal: (error) => !isPassing(error),
  };
}

/** The store, or the queue before it, may be there again in a moment. */
function isPassing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'STORE_UNAVAILABLE' || code === 'RATE_LIMITED';
}
