import {
  decide,
  emptyAggregate,
  fold,
  restoreAggregate,
  storeAggregate,
  type Aggregate,
  type Decision,
  type Intent,
} from '../../machines/index.ts';
import { limits, type Fact } from '../../machines/wire/index.ts';
import { intents, written } from '../charts/history.ts';

/** One step of the law: what an intent is decided into, and where its facts lead. */
export interface LawStep {
  readonly before: Aggregate;
  readonly intent: Intent;
  readonly decision: Decision;
  readonly facts: readonly Fact[];
  readonly after: Aggregate;
}

const SUSPENSIONS_MAX = 2;

/** Every intent in every aggregate that the bounded model reaches, and in those whose limits are full. */
export function everyStep(): LawStep[] {
  const steps: LawStep[] = [];
  const found = new Map([[textOf(emptyAggregate), emptyAggregate]]);
  for (const before of found.values())
    for (const intent of intents) {
      const step = lawStep(before, intent);
      steps.push(step);
      if (step.after.task.context.suspensionCount <= SUSPENSIONS_MAX && !found.has(textOf(step.after)))
        found.set(textOf(step.after), step.after);
    }
  return [...steps, ...full().flatMap((before) => intents.map((intent) => lawStep(before, intent)))];
}

function lawStep(before: Aggregate, intent: Intent): LawStep {
  const decision = decide(before, intent);
  const facts = written(before, decision.facts);
  return { before, intent, decision, facts, after: facts.reduce(fold, before) };
}

/** The same but for where in its log each thing stands. */
function textOf(aggregate: Aggregate): string {
  const { task, suspensions } = storeAggregate(aggregate);
  return JSON.stringify([{ ...task, lastEventId: null, context: { ...task.context, resultEventId: null } }, suspensions]);
}

function full(): Aggregate[] {
  const { task } = storeAggregate(emptyAggregate);
  const open = Array.from({ length: limits.openSuspensionsMax }, (_, index) => `q${index}`);
  const contexts = [{ openSuspensionIds: open, suspensionCount: open.length }, { suspensionCount: limits.suspensionsMax }];
  return contexts.flatMap((context) =>
    (['running', 'suspended'] as const).map((state) =>
      restoreAggregate({ task: { ...task, state, context: { ...task.context, ...context } }, suspensions: {} }),
    ),
  );
}
