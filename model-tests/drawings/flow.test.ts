import { describe, expect, test } from 'vitest';
import { createMachine, type AnyStateMachine, type AnyMachineSnapshot, type AnyTransitionDefinition, type EventObject } from 'xstate';
import { suspensionMachine, taskMachine, unaskedSuspension, type Intent } from '../../machines/index.ts';
import { isTerminalType, type Fact } from '../../machines/wire/index.ts';
import { flowChart } from '../../scripts/charts/flow-chart.ts';
import { intentsOf } from '../../scripts/charts/flow.ts';
import { flows } from '../../scripts/charts/flows.ts';
import { edgeName, edgesOf, statesOf } from '../charts/drawn.ts';
import { everyStep, type LawStep } from './law-walk.ts';

type Guard = (given: { readonly context: unknown; readonly event: EventObject }) => boolean;
/** What a guard of a flow says at a step of the law, by its name. */
type Guards = (name: string, step: LawStep) => boolean | undefined;

/** What Stately and XState load: data that went through JSON. */
const taskFlow = load(flows.task);
const suspensionFlow = load(flows.suspension);
const takeTask = taker(taskFlow);
const takeSuspension = taker(suspensionFlow);
const steps = everyStep();

describe('the flow of a task', () => {
  test('leads each intent to where its facts lead the task, writes the same facts and refuses the same', () => {
    const taken = new Set<string>();
    const faults = steps.flatMap((step) => {
      const [before, after] = [step.before.task.value, step.after.task.value];
      const [edge] = takeTask(before, step, taskGuards);
      if (edge) taken.add(edgeName(edge));
      // What the flow does not know is answered by the question.
      else if (intentsOf(taskMachine).includes(step.intent.type)) return [`${leafOf(before)} ignores ${step.intent.type}`];
      return fault(leafOf(before), edge, leafOf(after), step);
    });
    expect(faults).toEqual([]);
    // A task that has not begun has asked nothing yet.
    const unasked = ['#0', '#1', '#2'].map((branch) => `task.active.accepted report.suspended ${branch}`);
    expect(edgesOf(taskFlow).filter((name) => !taken.has(name))).toEqual(unasked);
  });
});

describe('the flow of a suspension', () => {
  test('leads each intent to where its facts lead the question, and refuses the same', () => {
    const taken = new Set<string>();
    const faults = steps.flatMap((step) =>
      ['a', 'b', 'never-asked'].flatMap((suspendId) => {
        if (!concerns(step.intent, suspendId)) return [];
        const { value: before } = step.before.suspensions.get(suspendId) ?? unaskedSuspension;
        const { value: after } = step.after.suspensions.get(suspendId) ?? unaskedSuspension;
        const [edge] = takeSuspension(before, step, guardsOf(suspendId));
        if (edge) taken.add(edgeName(edge));
        return fault(before, edge, after, step);
      }),
    );
    expect(faults).toEqual([]);
    // A task that is cancelling has no open questions.
    expect(edgesOf(suspensionFlow).filter((name) => !taken.has(name))).toEqual(['suspension.open cancel.overdue #0']);
  });
});

/** How a step of the flow is another than that of the law. */
function fault(before: string, edge: AnyTransitionDefinition | undefined, after: string, { intent, facts, decision }: LawStep): string[] {
  const end = endOf(edge) ?? before;
  const where = (): string => `${before} takes ${JSON.stringify(intent)}`;
  if (end !== after) return [`${where()}: ${end}, and by the law ${after}`];
  const said = edge && saidBy(edge);
  if (said && !said.facts.test(typesOf(facts))) return [`${where()}: ${said.facts.source}, and by the law ${typesOf(facts)}`];
  return !said || said.refusal === decision.refusal ? [] : [`${where()}: ${said.refusal}, and by the law ${decision.refusal}`];
}

function load(of: (typeof flows)['task']): AnyStateMachine {
  return createMachine(JSON.parse(JSON.stringify(flowChart(of))) as never);
}

/** Gives the transitions that an intent takes, as an actor would take them, with guards that look at the step that is asked for. */
function taker(machine: AnyStateMachine): (value: unknown, step: LawStep, guards: Guards) => AnyTransitionDefinition[] {
  let asked: (name: string) => boolean = () => false;
  const names = new Set(
    statesOf(machine).flatMap((node) =>
      [...node.transitions.values()].flat().flatMap(({ guard }) => (guard === undefined ? [] : [(guard as { type: string }).type])),
    ),
  );
  const ready = machine.provide({
    guards: Object.fromEntries([...names].map((name) => [name, () => name.split(' and ').every((one) => asked(one))])),
  });
  const places = new Map<string, AnyMachineSnapshot>();
  return (value, step, guards) => {
    asked = (name) => holds(guards, name, step);
    const place = places.get(JSON.stringify(value)) ?? ready.resolveState({ value: value as never, context: {} });
    places.set(JSON.stringify(value), place);
    return ready.getTransitionData(place, step.intent);
  };
}

function holds(guards: Guards, name: string, step: LawStep): boolean {
  const answer = guards(name, step);
  if (answer === undefined) throw new Error(`no guard ${name}`);
  return answer;
}

const guardOf = (machine: AnyStateMachine, name: string): Guard | undefined => machine.implementations.guards[name] as Guard | undefined;
const writes = ({ facts }: LawStep, type: string): boolean => facts.some((fact) => fact.type === type);
const decidedElsewhere: Readonly<Record<string, (step: LawStep) => boolean>> = {
  isAsked: (step) => writes(step, 'TASK_SUSPENDED'),
  isAccepted: (step) => writes(step, 'TASK_ACTION_ACCEPTED'),
  isPastDeadline: (step) => writes(step, 'TASK_SUSPENSION_CLOSED'),
  endsTask: ({ facts }) => facts.some(({ type }) => isTerminalType(type)),
  wasAsked: ({ before, intent }) =>
    'payload' in intent && 'suspendId' in intent.payload && before.suspensions.has(String(intent.payload.suspendId)),
};

function taskGuards(name: string, step: LawStep): boolean | undefined {
  const { context } = step.before.task;
  return guardOf(taskMachine, name)?.({ context, event: step.facts[0] ?? step.intent }) ?? decidedElsewhere[name]?.(step);
}

function guardsOf(suspendId: string): Guards {
  return (name, step) => {
    const { context } = step.before.suspensions.get(suspendId) ?? unaskedSuspension;
    return guardOf(suspensionMachine, name)?.({ context, event: step.intent }) ?? decidedElsewhere[name]?.(step);
  };
}

/** True for what is wished of that question, or of the whole task. */
function concerns(intent: Intent, suspendId: string): boolean {
  if ('suspendId' in intent) return intent.suspendId === suspendId;
  return intent.type !== 'report.suspended' || intent.payload.suspendId === suspendId;
}

interface Said {
  /** The facts in their order, each with a space behind it. */
  readonly facts: RegExp;
  readonly refusal: string | undefined;
}

function saidBy({ actions }: AnyTransitionDefinition): Said {
  const named = actions.map((action) => (typeof action === 'object' ? action : { type: String(action), params: undefined }));
  const facts = named
    .filter(({ type }) => type !== 'refuse')
    .map(({ type, params }) => (params === undefined ? `${type} ` : `(${type} )*`));
  const refusal = named.find(({ type }) => type === 'refuse');
  return { facts: new RegExp(`^${facts.join('')}$`), refusal: (refusal?.params as { code: string } | undefined)?.code };
}

function typesOf(facts: readonly Fact[]): string {
  return facts.map(({ type }) => `${type} `).join('');
}

function endOf(edge: AnyTransitionDefinition | undefined): string | undefined {
  return edge?.target?.[0]?.key;
}

function leafOf(value: unknown): string {
  return typeof value === 'string' ? value : leafOf(Object.values(value as object)[0]);
}
