/** How many facts a viewer is given at once. Memory is bounded by `viewerBytesMax` all the same. */
export interface BatchSizes {
  /** Most facts that are read from the log, and written, at once while a viewer catches up. Defaults to 1000. */
  readonly replayFactsMax: number;
  /**
   * Most facts that are written at once to a viewer that has all others. Where one turn brings more, it falls behind, takes what it was given,
   * and reads the rest from the log. Defaults to 1000.
   */
  readonly liveFactsMax: number;
}

/** What holds where the host says nothing. */
export const batchDefaults: BatchSizes = { replayFactsMax: 1_000, liveFactsMax: 1_000 };
