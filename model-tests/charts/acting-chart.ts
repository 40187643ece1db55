import {
  createActor,
  SimulatedClock,
  transition,
  type AnyActor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type StateValue,
} from 'xstate';
import type { Coverage } from './coverage.ts';
import { statesOf } from './drawn.ts';

/** One event of a walk: declared ones, and those that XState makes of actors and delays. */
export interface ActingEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** An acting chart whose actors say nothing by themselves, and all that it may be told. */
export interface ActingChart {
  readonly machine: AnyStateMachine;
  readonly input?: unknown;
  /** Every event with each payload that a guard tells apart; delays are added. */
  readonly alphabet: readonly ActingEvent[];
  /** What makes two snapshots the same to the guards. */
  readonly keyOf: (snapshot: AnyMachineSnapshot) => string;
}

/** One step of a walk. */
export interface ActingStep {
  readonly from: AnyMachineSnapshot;
  readonly event: ActingEvent;
  readonly to: AnyMachineSnapshot;
}

/** Every event of the chart, its delays with it. */
export function eventsOf({ machine, alphabet }: ActingChart): readonly ActingEvent[] {
  const delays = statesOf(machine).flatMap((node) => [...node.transitions.keys()].filter((type) => type.startsWith('xstate.after.')));
  return [...alphabet, ...[...new Set(delays)].map((type) => ({ type }))];
}

/** Every event from every state that can be reached, once each. An actor that is not running neither ends nor fails. */
export function everyStep(chart: ActingChart): ActingStep[] {
  const steps: ActingStep[] = [];
  const waiting = [createActor(chart.machine, { input: chart.input }).getSnapshot() as AnyMachineSnapshot];
  const known = new Set(waiting.map(chart.keyOf));
  for (let from = waiting.shift(); from; from = waiting.shift())
    for (const event of eventsOf(chart)) {
      const child = /^xstate\.(?:done|error)\.actor\.(.+)$/.exec(event.type)?.[1];
      if (from.status !== 'active' || (child !== undefined && !(child in from.children))) continue;
      const [to] = transition(chart.machine, from, event as never);
      steps.push({ from, event, to });
      if (known.has(chart.keyOf(to))) continue;
      known.add(chart.keyOf(to));
      waiting.push(to);
    }
  return steps;
}

/** What live actors visit that begin by themselves and take each of these steps. */
export function visit({ machine, input }: ActingChart, steps: readonly ActingStep[], coverage: Coverage): void {
  const observe = (snapshot?: AnyMachineSnapshot): AnyActor =>
    createActor(machine, {
      ...(snapshot && { snapshot }),
      input,
      clock: new SimulatedClock(),
      inspect: (inspected) => {
        if (inspected.type === '@xstate.microstep') inspected._transitions.forEach((edge) => coverage.take(edge));
      },
    }).start();
  observe().stop();
  for (const { from, event, to } of steps) {
    // The value and the context of just any machine are typed as anything.
    const { value, context } = from as { value: StateValue; context: object };
    const actor = observe(machine.resolveState({ value, context }));
    actor.send(event as never);
    actor.stop();
    coverage.reach(from);
    coverage.reach(to);
  }
}

/** The ids of the actors that run. */
export function childrenOf({ children }: AnyMachineSnapshot): string[] {
  return Object.keys(children as object);
}

/** How many longest paths there are that meet no state value twice; calls back at each step. */
export function walkSimplePaths(chart: ActingChart, onStep: (step: ActingStep) => void): number {
  const events = eventsOf(chart);
  const valueOf = (snapshot: AnyMachineSnapshot): string => JSON.stringify(snapshot.value);
  const goOn = (from: AnyMachineSnapshot, met: ReadonlySet<string>): number => {
    const further = new Map<string, AnyMachineSnapshot>();
    for (const event of from.status === 'active' ? events : []) {
      const child = /^xstate\.(?:done|error)\.actor\.(.+)$/.exec(event.type)?.[1];
      if (child !== undefined && !(child in from.children)) continue;
      const [to] = transition(chart.machine, from, event as never);
      onStep({ from, event, to });
      if (!met.has(valueOf(to)) && !further.has(valueOf(to))) further.set(valueOf(to), to);
    }
    if (further.size === 0) return 1;
    return [...further].reduce((paths, [value, to]) => paths + goOn(to, new Set([...met, value])), 0);
  };
  const start = createActor(chart.machine, { input: chart.input }).getSnapshot() as AnyMachineSnapshot;
  return goOn(start, new Set([valueOf(start)]));
}
