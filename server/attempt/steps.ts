import { claimWork, startWork } from './claim-and-start.ts';
import type { StepName } from './work-events.ts';
import { attemptState, type AttemptState, type ExecutionRecord } from './execution-record.ts';
import { inspectWork } from './inspection.ts';
import { expireLease, giveUpAborted, giveUpLostHistory } from './lease.ts';
import { deliverCancel, deliverResolution, endOverdueCancel, notifyEnded, stopStaleRun } from './notifying.ts';
import { expireQuestions } from './question-expiry.ts';
import type { ReconcileStep } from './reconcile-step.ts';
import { removeExpired } from './task-removal.ts';

/**
 * The steps that the attempt's chart names, the most urgent first. What needs the store only comes first: an executor that does not answer keeps no
 * deadline from passing.
 */
const byName: Readonly<Record<StepName, ReconcileStep>> = {
  'remove what is expired': removeExpired,
  'expire questions': expireQuestions,
  'end an overdue cancel': endOverdueCancel,
  'expire the lease': expireLease,
  'stop a stale run': stopStaleRun,
  'put back what is aborted': giveUpAborted,
  'put back what lost its history': giveUpLostHistory,
  'deliver the cancel': deliverCancel,
  'deliver a resolution': deliverResolution,
  'notify of the end': notifyEnded,
  claim: claimWork,
  start: startWork,
  inspect: inspectWork,
};
const inOrder = Object.entries(byName) as readonly [StepName, ReconcileStep][];
/** What is asked of an executor is all that differs between states which work has done little or much in. */
const known = new Map<AttemptState, readonly ReconcileStep[]>();

/** What may have to be done, as the states of the attempt's chart say; the first step that finds something to do is done. */
export function stepsOf(execution: ExecutionRecord): readonly ReconcileStep[] {
  const state = attemptState(execution);
  const steps = known.get(state) ?? readSteps(execution);
  known.set(state, steps);
  return steps;
}

function readSteps({ attempt }: ExecutionRecord): readonly ReconcileStep[] {
  const owed = new Set(Object.values(attempt.getMeta()).flatMap((meta) => meta?.owes ?? []));
  return inOrder.filter(([name]) => owed.has(name)).map(([, step]) => step);
}

/** Those that need the store only, in every state: each finds out by itself whether its time has come. */
export const deadlineSteps: readonly ReconcileStep[] = [expireQuestions, endOverdueCancel, removeExpired];
