import type { Clock } from '../../server/ports/index.ts';

/** One limit for any number of things under way, by one timer. */
export interface TimeLimit {
  /** Something begins; `late` is called unless it ends in time. Gives the function that ends it. */
  start(late: () => void): () => void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** Makes a time limit. What is late counts as ended. */
export function createTimeLimit(clock: Clock, ms: number): TimeLimit {
  // In the order of their beginnings, so that the first one is the next that is late.
  const underWay = new Set<{ readonly since: number; late(): void }>();
  let waiting: (() => void)[] = [];
  let timer: unknown;

  function arm(pauseMs: number): void {
    timer = clock.setTimeout(look, pauseMs);
  }

  function look(): void {
    timer = undefined;
    const now = clock.now();
    for (const each of underWay) {
      const left = each.since + ms - now;
      // A clock that was set back must not make anything wait for longer than its time.
      if (left > 0) return arm(Math.min(left, ms));
      underWay.delete(each);
      each.late();
    }
    wake();
  }

  function wake(): void {
    if (underWay.size > 0) return;
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
    for (const resolve of waiting.splice(0)) resolve();
  }

  return {
    start(late) {
      const one = { since: clock.now(), late };
      underWay.add(one);
      if (timer === undefined) arm(ms);
      return () => {
        // The timer stays for those who come next: most of the time somebody does.
        if (underWay.delete(one) && underWay.size === 0 && waiting.length > 0) wake();
      };
    },
    settled() {
      if (underWay.size === 0) {
        wake();
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        waiting = [...waiting, resolve];
      });
    },
  };
}
