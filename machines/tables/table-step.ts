import type { AnyMachineSnapshot, AnyStateMachine, EventFromLogic, EventObject, SnapshotFrom } from 'xstate';
import { stepOf, type Step } from '../step.ts';
import { StepTable, type XStateStep } from './step-table.ts';

/** A step of a chart by its table. */
export interface TableStep<M extends AnyStateMachine> extends Step<M> {
  /** True where a transition takes the event, as `snapshot.can` says. */
  takes(snapshot: SnapshotFrom<M>, event: EventFromLogic<M>): boolean;
}

/** Gives the step function of a recorded chart, by a table of its own: what `stepOf` answers, for a part of its cost and some bytes of code. */
export function tableStepOf<M extends AnyStateMachine>(machine: M): TableStep<M> {
  // Any machine's here: the table gives back snapshots of the machine that it was made for.
  const table = new StepTable(machine, stepOf(machine) as unknown as XStateStep);
  const step = (snapshot: AnyMachineSnapshot, event: EventObject) => table.step(snapshot, event);
  return Object.assign(step, {
    takes: (snapshot: AnyMachineSnapshot, event: EventObject) => table.takes(snapshot, event),
  }) as unknown as TableStep<M>;
}
