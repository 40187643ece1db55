import { monotonicNow, type Clock } from './clock.ts';

/**
 * Requests that are held open at one origin: event streams and polls that wait. A browser has six connections over HTTP/1.1, and who holds all of them
 * has none left for a command.
 */
export interface HeldRequests {
  /** A place for one more. Gives what frees it, to be called once; undefined where none is free. Never rejects. */
  take(): Promise<(() => void) | undefined>;
}

/** So many places, for whoever is given them. */
export function heldRequests(most: number): HeldRequests {
  let held = 0;
  return {
    async take() {
      if (held >= most) return undefined;
      held += 1;
      return () => {
        held -= 1;
      };
    },
  };
}

/** Does one thing after the other, with a rest between two. */
export type PollTurns = (work: () => Promise<void>) => Promise<void>;

/** For short requests, so that one connection is enough for all of them. What is done never rejects. */
export function createTurns(clock: Clock, restMs: number): PollTurns {
  let last = Promise.resolve();
  let restedAt = Number.NEGATIVE_INFINITY;
  return (work) => {
    last = last.then(async () => {
      const left = restedAt - monotonicNow(clock);
      if (left > 0) await new Promise<void>((resolve) => void clock.setTimeout(resolve, left));
      await work();
      restedAt = monotonicNow(clock) + restMs;
    });
    return last;
  };
}
