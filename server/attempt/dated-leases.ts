/** A date that was seen in a task, and since when. */
interface SeenDate {
  readonly until: number;
  readonly since: number;
}

/** When a date is judged. */
export interface DateTimes {
  /** The store's time. */
  readonly now: number;
  /** This node's monotonic time. */
  readonly monotonic: number;
}

/**
 * Judges leases of a date, as nodes of 0.1.0 write them into each task: one is over when its date has passed by the store's clock, and it was
 * seen unchanged for `leaseMs` of this node's monotonic time since it had. A clock that jumps ends none.
 */
export class DatedLeases {
  readonly #leaseMs: number;
  readonly #seen = new Map<string, SeenDate>();

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** True where the holder of the task is gone. To be asked again and again: the first time, it only begins to count. */
  isOver(taskId: string, until: number, { now, monotonic }: DateTimes): boolean {
    if (until > now) {
      this.#seen.delete(taskId);
      return false;
    }
    const seen = this.#seen.get(taskId);
    const since = seen?.until === until ? seen.since : monotonic;
    this.#seen.set(taskId, { until, since });
    return monotonic - since >= this.#leaseMs;
  }

  /** Tasks whose lease is over unless it was renewed since: somebody has to look, and other nodes may be shown them in turn. */
  ripe(monotonic: number): readonly string[] {
    return [...this.#seen].filter(([, { since }]) => monotonic - since >= this.#leaseMs).map(([taskId]) => taskId);
  }

  /** A task has no such lease any more. */
  forget(taskId: string): void {
    this.#seen.delete(taskId);
  }

  /** The store did not answer: nobody could renew meanwhile. */
  miss(): void {
    this.#seen.clear();
  }
}
