import { initialTransition, type SnapshotFrom } from 'xstate';
import type { EventId } from '../wire/event-id.ts';
import { stepOf, type Step } from '../step.ts';
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

/** How the charts of an aggregate take their steps. */
export interface AggregateSteps {
  readonly task: Step<typeof taskMachine>;
  readonly suspension: Step<typeof suspensionMachine>;
}

/** By XState itself. */
export const xstateSteps: AggregateSteps = { task: stepTask, suspension: stepSuspension };

/** The chart of a question that was never asked. */
export const unaskedSuspension: SuspensionSnapshot = initialTransition(suspensionMachine)[0];

/** A task with an empty log. */
export const emptyAggregate: Aggregate = {
  task: initialTransition(taskMachine)[0],
  suspensions: new Map(),
  lastEventId: null,
};
