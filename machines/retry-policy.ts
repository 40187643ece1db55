/** How often something that failed is tried again, and how long each try waits. */
export interface RetryPolicy {
  /** The rest before the first retry, in milliseconds; doubled for each further one. 0 where nothing rests. */
  readonly baseMs: number;
  /** The longest rest, in milliseconds, before jitter. */
  readonly maxMs: number;
  /** Tries altogether, the first one counted; `Infinity` where it goes on until it succeeds or is ended from outside. */
  readonly triesMax: number;
  /** The largest share of a rest that chance adds to it, so that those who failed together do not come back together; 0 for none. */
  readonly jitter: number;
}

/** Where doubling ends: far above every longest rest, far below the largest number. */
const DOUBLINGS_MAX = 40;

/**
 * The rest before a retry, in milliseconds: 0 is the first one. `fraction` is the share of the jitter that is added, from 0 to below 1, which
 * the caller takes from its `Chance`; from -0.5 to 0.5 it spreads the rest around its middle.
 */
export function retryDelayMs({ baseMs, maxMs, jitter }: Omit<RetryPolicy, 'triesMax'>, retry: number, fraction = 0): number {
  return Math.min(baseMs * 2 ** Math.min(retry, DOUBLINGS_MAX), maxMs) * (1 + fraction * jitter);
}
