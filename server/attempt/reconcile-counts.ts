/** What was done for the tasks that were due. */
export interface ReconcileCounts {
  /** Tasks that were due, and looked at. */
  readonly visited: number;
  /** Runs of work that began. */
  readonly started: number;
  /** Ends of questions (answers, expiries, withdrawals) that the work was told. */
  readonly handedOver: number;
  /** Questions whose deadline had passed. */
  readonly questionsExpired: number;
  /** Tasks whose time after their end was over; their receipts and files went with them. */
  readonly tasksRemoved: number;
  /** Tasks of which something could not be done; it is tried again. */
  readonly failed: number;
}

/** Counts of one task, while it is looked after. */
export type Tally = { -readonly [count in keyof ReconcileCounts]: number };

/** Counts of nothing. */
export function emptyTally(): Tally {
  return { visited: 0, started: 0, handedOver: 0, questionsExpired: 0, tasksRemoved: 0, failed: 0 };
}

/** Adds the counts of one task to others. */
export function addTally(sum: Tally, of: ReconcileCounts): void {
  sum.visited += of.visited;
  sum.started += of.started;
  sum.handedOver += of.handedOver;
  sum.questionsExpired += of.questionsExpired;
  sum.tasksRemoved += of.tasksRemoved;
  sum.failed += of.failed;
}
