import { claimWork, startWork } from './claim-and-start.ts';
import type { AttemptState } from './execution-record.ts';
import { inspectWork } from './inspection.ts';
import { expireLease, giveUpAborted, giveUpLostHistory } from './lease.ts';
import { deliverCancel, deliverResolution, endOverdueCancel, notifyEnded, stopStaleRun } from './notifying.ts';
import { expireQuestions } from './question-expiry.ts';
import type { ReconcileStep } from './reconcile-step.ts';
import { removeExpired } from './task-removal.ts';

/**
 * What may have to be done, by the state of the attempt's chart; the first step that finds something to do is done. What needs the store only
 * comes first: an executor that does not answer keeps no deadline from passing.
 */
export const steps: Readonly<Record<AttemptState, readonly ReconcileStep[]>> = {
  pending: [expireQuestions, stopStaleRun, claimWork],
  lost: [expireQuestions, stopStaleRun, claimWork],
  suspected: [expireQuestions, stopStaleRun, claimWork],
  starting: [expireQuestions, expireLease, stopStaleRun, giveUpAborted, giveUpLostHistory, startWork],
  held: [expireQuestions, expireLease, stopStaleRun, giveUpAborted, giveUpLostHistory, deliverResolution, inspectWork],
  stopping: [
    expireQuestions,
    endOverdueCancel,
    expireLease,
    stopStaleRun,
    giveUpAborted,
    giveUpLostHistory,
    deliverCancel,
    deliverResolution,
    inspectWork,
  ],
  notified: [
    expireQuestions,
    endOverdueCancel,
    expireLease,
    stopStaleRun,
    giveUpAborted,
    giveUpLostHistory,
    deliverResolution,
    inspectWork,
  ],
  ended: [removeExpired, stopStaleRun, notifyEnded],
  released: [removeExpired, stopStaleRun],
};

/** Those that need the store only, in every state: each finds out by itself whether its time has come. */
export const deadlineSteps: readonly ReconcileStep[] = [expireQuestions, endOverdueCancel, removeExpired];
