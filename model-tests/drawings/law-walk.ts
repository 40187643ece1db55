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
import { aimed, intents, written } from '../charts/history.ts';

/** One step of the law: what an intent is decided into, and where its facts lead. */
export interface LawStep {
  readonly before: Aggregate;
  readonly intent: Intent;
  readonly decision: Decision;
  readonly facts: readonly Fact[];
  readonly after: Aggregate;
}

/** Questions and parts together. */
const ASKED_AND_OPENED_MAX = 2;

/** Every intent in every aggregate that the bounded model reaches, and in those whose limits are full. */
export function everyStep(): LawStep[] {
  const steps: LawStep[] = [];
  const found = new Map([[textOf(emptyAggregate), emptyAggregate]]);
  for (const before of found.values())
    for (const intent of intents) {
      const step = lawStep(before, intent);
      steps.push(step);
      const { suspensionCount, partCount } = step.after.task.context;
      if (suspensionCount + partCount <= ASKED_AND_OPENED_MAX && !found.has(textOf(step.after))) found.set(textOf(step.after), step.after);
    }
  return [...steps, ...full().flatMap((before) => intents.map((intent) => lawStep(before, intent)))];
}

function lawStep(before: Aggregate, wished: Intent): LawStep {
  const intent = aimed(before, wished);
  const decision = decide(before, intent);
  const facts = written(before, decision.facts);
  return { before, intent, decision, facts, after: facts.reduce(fold, before) };
}

/** The same but for where in its log each thing stands. */
function textOf(aggregate: Aggregate): string {
  const { task, suspensions } = storeAggregate(aggregate);
  const openParts = task.context.openParts?.map((part) => ({ ...part, opened: null }));
  return JSON.stringify([{ ...task, lastEventId: null, context: { ...task.context, resultEventId: null, openParts } }, suspensions]);
}

function full(): Aggregate[] {
  const { task } = storeAggregate(emptyAggregate);
  const open = Array.from({ length: limits.openSuspensionsMax }, (_, index) => `q${index}`);
  const openParts = open.map((name, index) => ({ opened: index + 1, name, kind: 'text' as const }));
  const contexts = [
    { openSuspensionIds: open, suspensionCount: open.length },
    { suspensionCount: limits.suspensionsMax },
    { openParts, partCount: open.length },
    { partCount: limits.partsMax },
  ];
  return contexts.flatMap((context) =>
    (['running', 'suspended'] as const).map((state) =>
      restoreAggregate({ task: { ...task, state, context: { ...task.context, ...context } }, suspensions: {} }),
    ),
  );
}
