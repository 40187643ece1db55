import { expect } from 'vitest';
import type { AnyMachineSnapshot, EventObject } from 'xstate';
import { refusalCodes, type Emitted } from '../../machines/index.ts';
import { eventId, isFactType, isTerminalType, payloads, type Fact, type FactBody } from '../../machines/wire/index.ts';
import type { WorkOrder } from '../../server/attempt/attempt.machine.ts';
import { contextOf, take, textOf, type BoundedChart, type Step } from './chart.ts';

/** Takes one event and holds what came of it against what every recorded chart promises. */
export function takeLawfully({ machine, takesEveryFact }: BoundedChart, snapshot: AnyMachineSnapshot, event: EventObject): Step {
  const step = take(machine, snapshot, event);
  const where = `${textOf(snapshot)} takes ${JSON.stringify(event)}`;
  expect(JSON.parse(JSON.stringify(contextOf(step.next))), `${where}: the context stays JSON`).toEqual(contextOf(step.next));
  if (isFactType(event.type)) {
    expect(step.emitted, `${where}: a fact moves and says nothing`).toEqual([]);
    if (takesEveryFact && snapshot.status !== 'done') expect(step.edges, `${where}: a fact is never refused`).not.toEqual([]);
  } else {
    if (takesEveryFact && event.type !== 'log.joined') expect(step.edges, `${where}: an intent is never left unanswered`).not.toEqual([]);
    if (step.emitted.length > 0) holdIntent(machine, snapshot, step, where);
  }
  if (snapshot.status === 'done') {
    expect(textOf(step.next), `${where}: nothing moves after the end`).toBe(textOf(snapshot));
    expect(
      step.emitted.map(({ type }) => type).filter((type) => type !== 'refused'),
      `${where}: nothing follows the end`,
    ).toEqual([]);
  }
  return step;
}

/** An intent changes nothing by itself: it is refused, gives an order, or becomes facts, which keep the wire's schemas, come in a lawful order, and are all taken. */
function holdIntent(machine: BoundedChart['machine'], snapshot: AnyMachineSnapshot, step: Step, where: string): void {
  expect(textOf(step.next), `${where}: an intent changes no state`).toBe(textOf(snapshot));
  // These are all that the recorded charts declare.
  const emitted = step.emitted as readonly (Emitted | WorkOrder)[];
  for (const event of emitted) if (event.type === 'refused') expect(refusalCodes).toHaveProperty(event.code);
  const facts = emitted.filter((event): event is FactBody => event.type !== 'refused' && !event.type.startsWith('work.'));
  facts.forEach(({ type, payload }, index) => {
    expect(payloads[type].safeParse(payload).error, `${where}: ${type} passes its schema`).toBeUndefined();
    if (isTerminalType(type)) expect(index, `${where}: the terminal fact is the last`).toBe(facts.length - 1);
  });
  let folded = snapshot;
  facts.forEach((fact, index) => {
    const after = take(machine, folded, envelope(fact, index));
    expect(after.edges, `${where}: ${fact.type}, just emitted, is taken`).not.toEqual([]);
    folded = after.next;
  });
}

function envelope(fact: FactBody, index: number): Fact {
  return { ...fact, taskId: 't', eventId: eventId(index + 100, 1), createdAt: '2026-01-01T00:00:00Z' };
}
