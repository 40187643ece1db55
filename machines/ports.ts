/** Time, as everything here sees it. Fits XState's `clock` option, and XState's `SimulatedClock` fits here. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds by which durations are measured: no setting of the date moves them. Where it is missing, `now` is taken for it. */
  monotonic?(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Where jitter comes from. */
export interface Chance {
  /** At least 0, below 1. */
  fraction(): number;
}
