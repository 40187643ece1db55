/**
 * The recorded charts by tables of what XState does: for a server, which takes many steps. Clients take few, and load nothing of this.
 *
 * @packageDocumentation
 */
import type { Aggregate, AggregateSteps } from '../aggregate/aggregate.ts';
import { decideWith, type Decision } from '../aggregate/decide.ts';
import { foldWith } from '../aggregate/fold.ts';
import type { Intent } from '../intents.ts';
import { suspensionMachine } from '../suspension/suspension.machine.ts';
import { taskMachine } from '../task/task.machine.ts';
import type { Fact, UnknownFact } from '../wire/facts.ts';
import { tableStepOf } from './table-step.ts';

export { tableStepOf, type TableStep } from './table-step.ts';

const steps: AggregateSteps = { task: tableStepOf(taskMachine), suspension: tableStepOf(suspensionMachine) };

/** What `decide` says. */
export function decide(aggregate: Aggregate, intent: Intent): Decision {
  return decideWith(steps, aggregate, intent);
}

/** What `fold` gives. */
export function fold(aggregate: Aggregate, fact: Fact | UnknownFact): Aggregate {
  return foldWith(steps, aggregate, fact);
}
