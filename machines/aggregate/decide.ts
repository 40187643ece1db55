import type { ExecutableActionObject } from 'xstate';
import type { Emitted, Intent, RefusalCode } from '../intents.ts';
import type { SuspensionEvent } from '../suspension/suspension.machine.ts';
import type { TaskEvent } from '../task/task.machine.ts';
import type { FactBody } from '../wire/facts.ts';
import { unaskedSuspension, xstateSteps, type Aggregate, type AggregateSteps } from './aggregate.ts';

/** What an intent becomes: facts in their order, a refusal, both (a late answer expires its question and is refused) or neither. */
export interface Decision {
  readonly facts: readonly FactBody[];
  readonly refusal?: RefusalCode;
}

/**
 * Asks the charts what an intent becomes. Changes nothing: apply the facts with `fold` once they are committed.
 *
 * A question goes to the task's chart when it is new and to its own when it was asked before; actions and expiries go to the suspension.
 */
export function decide(aggregate: Aggregate, intent: Intent): Decision {
  return decideWith(xstateSteps, aggregate, intent);
}

/** The same, with steps that are given. */
export function decideWith(steps: AggregateSteps, aggregate: Aggregate, intent: Intent): Decision {
  switch (intent.type) {
    case 'action.submit':
    case 'suspension.expire':
      return askSuspension(aggregate, intent.suspendId, intent, steps);
    case 'report.suspended':
      return aggregate.suspensions.has(intent.payload.suspendId)
        ? askSuspension(aggregate, intent.payload.suspendId, intent, steps)
        : askTask(aggregate, intent, steps);
    default:
      return askTask(aggregate, intent, steps);
  }
}

function askTask(aggregate: Aggregate, intent: TaskEvent, steps: AggregateSteps): Decision {
  return read(steps.task(aggregate.task, intent)[1]);
}

function askSuspension(aggregate: Aggregate, suspendId: string, intent: SuspensionEvent, steps: AggregateSteps): Decision {
  return read(steps.suspension(aggregate.suspensions.get(suspendId) ?? unaskedSuspension, intent)[1]);
}

function read(actions: readonly ExecutableActionObject[]): Decision {
  const facts: FactBody[] = [];
  let refusal: RefusalCode | undefined;
  for (const action of actions) {
    if (action.type !== 'xstate.emit') continue;
    // The recorded charts declare `Emitted` as all that they emit; pure `transition` hands it over untyped.
    const { event } = action.params as unknown as { event: Emitted };
    if (event.type === 'refused') refusal = event.code;
    else facts.push(event);
  }
  return refusal === undefined ? { facts } : { facts, refusal };
}
