/** Who runs the work: a task of ours, or a bare workflow with the same activity. */
export type TemporalWork = 'ours' | 'bare';

/** A host and a worker of Temporal in one process. */
export interface TemporalSystem {
  /** Starts so many, one after the other; gives the milliseconds of each from what starts it until its first activity runs. */
  starts(load: { readonly work: TemporalWork; readonly count: number }): Promise<readonly number[]>;
  /** Runs so many side by side, whose activities report one fact after the other for so many milliseconds each. */
  reports(load: { readonly work: TemporalWork; readonly workflows: number; readonly ms: number }): Promise<{
    readonly facts: number;
    readonly ms: number;
    readonly cpuUs: number;
  }>;
}
