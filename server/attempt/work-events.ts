/** Asks what becomes of work that nobody has. An intent: it changes no state, and is answered by an order. */
export interface WorkDue {
  readonly type: 'work.due';
  /** In milliseconds of the store's clock. */
  readonly now: number;
  /** Somebody wants the task to stop. */
  readonly isCancelling: boolean;
  /** Work that was lost may be run again. */
  readonly mayRepeat: boolean;
  /** Crashes in a row that end work. */
  readonly crashesMax: number;
}

/** What becomes of work that nobody has: the chart's answer to {@link WorkDue}. None while it rests. */
export type WorkOrder =
  { readonly type: 'work.claim' } | { readonly type: 'work.stop' } | { readonly type: 'work.fail'; readonly why: WorkFailure };

/** Why work that nobody has goes on no more. */
export type WorkFailure = 'may not be repeated' | 'crashes again and again' | 'could not be started in time';

/** A reconcile step: what a node may have to do for a task. What each does is in `steps.ts`. */
export type StepName =
  | 'remove what is expired'
  | 'expire questions'
  | 'end an overdue cancel'
  | 'expire the lease'
  | 'stop a stale run'
  | 'put back what is aborted'
  | 'put back what lost its history'
  | 'deliver the cancel'
  | 'deliver a resolution'
  | 'notify of the end'
  | 'claim'
  | 'start'
  | 'inspect';
