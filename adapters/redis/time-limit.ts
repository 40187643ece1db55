import { monotonicMs, type Clock } from '../../server/ports/index.ts';

/** One limit for any number of things under way, by one timer. */
export interface TimeLimit {
  /** Something begins; `late` is called unless it ends in time. Gives the function that ends it. */
  start(late: () => void): () => void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** A turn of the event loop, in milliseconds: in it what has arrived is read. */
const TURN_MS = 10;
/** Turns that are given, at most, where this process goes on being late. */
const TURNS_MAX = 5;

/**
 * Makes a time limit. What is late counts as ended. Before anything is judged late, what has arrived meanwhile is read: where this process stood
 * still, its answers wait behind the timer.
 */
export function createTimeLimit(clock: Clock, ms: number): TimeLimit {
  // In the order of their beginnings, so that the first one is the next that is late.
  const underWay = new Set<{ readonly since: number; late(): void }>();
  let waiting: (() => void)[] = [];
  let timer: unknown;

  function arm(pauseMs: number, then: () => void): void {
    timer = clock.setTimeout(then, pauseMs);
  }

  /** How long the oldest has left; undefined where nothing is under way. */
  function left(): number | undefined {
    for (const { since } of underWay) return since + ms - monotonicMs(clock);
    return undefined;
  }

  function look(): void {
    timer = undefined;
    const leftMs = left();
    if (leftMs === undefined) wake();
    // A host's clock may have none but the date, which may be set back: nothing waits for longer than its time.
    else if (leftMs > 0) arm(Math.min(leftMs, ms), look);
    else giveTurn(1);
  }

  function giveTurn(turn: number): void {
    const given = monotonicMs(clock);
    // One that comes late itself may come before what has arrived.
    const isLate = (): boolean => monotonicMs(clock) - given > 2 * TURN_MS;
    arm(TURN_MS, () => (isLate() && turn < TURNS_MAX ? giveTurn(turn + 1) : judge()));
  }

  function judge(): void {
    timer = undefined;
    for (const each of underWay) {
      if (each.since + ms > monotonicMs(clock)) break;
      underWay.delete(each);
      each.late();
    }
    look();
  }

  function wake(): void {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
    for (const resolve of waiting.splice(0)) resolve();
  }

  return {
    start(late) {
      const one = { since: monotonicMs(clock), late };
      underWay.add(one);
      if (timer === undefined) arm(ms, look);
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

/** Gives a promise a limit: rejects with that message where it takes longer. */
export async function inTime<T>(clock: Clock, ms: number, promise: Promise<T>, message: string): Promise<T> {
  let timer: unknown;
  const limit = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => reject(new Error(message)), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clock.clearTimeout(timer);
  }
}
