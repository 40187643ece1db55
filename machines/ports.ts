/** Time, as everything here sees it. Fits XState's `clock` option, and XState's `SimulatedClock` fits here. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Milliseconds that pass evenly, whatever the date is set to: waits are measured by it. Where it is missing, `now` stands in
   * for it, and what that is set back by counts for nothing.
   */
  monotonic?(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Where jitter comes from. */
export interface Chance {
  /** At least 0, below 1. */
  fraction(): number;
}
