import { initialTransition, type SnapshotFrom } from 'xstate';
import { isFactType, type Fact, type FactType, type UnknownFact } from '../wire/facts.ts';
import type { EventId } from '../event-id.ts';
import { stepOf } from '../step.ts';
import { suspensionMachine } from '../suspension/suspension.machine.ts';
import { taskMachine } from '../task/task.machine.ts';

/** The task chart at one moment. */
export type TaskSnapshot = SnapshotFrom<typeof taskMachine>;
/** A suspension's chart at one moment. */
export type SuspensionSnapshot = SnapshotFrom<typeof suspensionMachine>;

/** A task as its log tells it: its chart, the chart of every question that it asked, and how far the log was read. Never changed in place. */
export interface Aggregate {
  readonly task: TaskSnapshot;
  readonly suspensions: ReadonlyMap<string, SuspensionSnapshot>;
  readonly lastEventId: EventId | null;
}

/** Takes the task's chart one step. */
export const stepTask = stepOf(taskMachine);
/** Takes a suspension's chart one step. */
export const stepSuspension = stepOf(suspensionMachine);

/** The chart of a question that was never asked. */
export const unaskedSuspension: SuspensionSnapshot = initialTransition(suspensionMachine)[0];

/** A task with an empty log. */
export const emptyAggregate: Aggregate = {
  task: initialTransition(taskMachine)[0],
  suspensions: new Map(),
  lastEventId: null,
};

/** Narrows a fact to one whose type this version knows. Its payload may still be odd, where another server wrote it. */
export function isKnownFact(fact: Fact | UnknownFact): fact is Fact {
  return isFactType(fact.type);
}

/** Narrows a fact to one type: `if (isFact(fact, 'TASK_SUSPENDED')) fact.payload.suspendId`. */
export function isFact<T extends FactType>(fact: Fact | UnknownFact, type: T): fact is Fact<T> {
  return fact.type === type;
}
