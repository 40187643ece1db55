import { isKnownFact, isSuspensionType, isTerminalType, type Fact, type SuspensionFactType, type UnknownFact } from '../wire/facts.ts';
import { unaskedSuspension, xstateSteps, type Aggregate, type AggregateSteps, type SuspensionSnapshot } from './aggregate.ts';

/**
 * Applies one fact of the log to both charts. Never refuses: a fact of an unknown type only moves `lastEventId`, a fact after the end
 * changes nothing else, and a payload that says less than its schema asks for is taken for what it says.
 */
export function fold(aggregate: Aggregate, fact: Fact | UnknownFact): Aggregate {
  return foldWith(xstateSteps, aggregate, fact);
}

/** The same, with steps that are given. */
export function foldWith(steps: AggregateSteps, aggregate: Aggregate, fact: Fact | UnknownFact): Aggregate {
  const lastEventId = fact.eventId;
  if (aggregate.task.status !== 'active' || !isKnownFact(fact) || !isUsable(fact)) return { ...aggregate, lastEventId };
  return { task: steps.task(aggregate.task, fact)[0], suspensions: foldSuspensions(aggregate, fact, steps), lastEventId };
}

/** Nothing can be told from a suspension's fact that does not name its suspension, nor from a payload that is no object. */
export function isUsable(fact: Fact): boolean {
  const payload: unknown = fact.payload;
  if (typeof payload !== 'object' || payload === null) return isTerminalType(fact.type);
  return !concernsOneSuspension(fact) || typeof fact.payload.suspendId === 'string';
}

function concernsOneSuspension(fact: Fact): fact is Fact<SuspensionFactType> {
  return isSuspensionType(fact.type);
}

/** The suspensions that a fact moves, where `open` are those that wait for an answer. */
export function concernedSuspensions(fact: Fact, open: readonly string[]): readonly string[] {
  if (concernsOneSuspension(fact)) return [fact.payload.suspendId];
  return isTerminalType(fact.type) ? open : [];
}

function foldSuspensions(
  { suspensions, task }: Aggregate,
  fact: Fact,
  { suspension: step }: AggregateSteps,
): ReadonlyMap<string, SuspensionSnapshot> {
  const concerned = concernedSuspensions(fact, task.context.openSuspensionIds);
  if (concerned.length === 0) return suspensions;
  const next = new Map(suspensions);
  for (const suspendId of concerned) {
    const known = suspensions.get(suspendId);
    if (!known && fact.type !== 'TASK_SUSPENDED') continue;
    next.set(suspendId, step(known ?? unaskedSuspension, fact)[0]);
  }
  return next;
}
