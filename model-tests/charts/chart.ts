import { transition, type AnyMachineSnapshot, type AnyStateMachine, type EventObject } from 'xstate';
import { edgeName } from './drawn.ts';

/** A chart, the alphabet that it is walked with, and how far. */
export interface BoundedChart {
  readonly name: string;
  readonly machine: AnyStateMachine;
  /** Every event, with each payload that a guard can tell apart. */
  readonly alphabet: readonly EventObject[];
  /** True where the law says that each fact is taken until the end, however odd it is, and each intent is answered, then too. */
  readonly takesEveryFact: boolean;
  /** States beyond are looked at, and not walked on from. */
  readonly isBeyond: (context: unknown) => boolean;
  /** Contexts that no short walk reaches (a limit that is full), with the state that they are put in. */
  readonly presets: readonly AnyMachineSnapshot[];
  /** What simple paths begin after, besides the start: where a state's ways depend on how it was met before. */
  readonly beginnings?: readonly (readonly EventObject[])[];
}

/** One step of a chart: where it went, what it emitted, and which of its transitions it took. */
export interface Step {
  readonly next: AnyMachineSnapshot;
  readonly emitted: readonly EventObject[];
  readonly edges: readonly string[];
}

/** Takes one event, by pure `transition`. */
export function take(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: EventObject): Step {
  const edges = machine.getTransitionData(snapshot, event).map(edgeName);
  const [next, actions] = transition(machine, snapshot, event) as [AnyMachineSnapshot, readonly { type: string; params: unknown }[]];
  const emitted = actions
    .filter(({ type }) => type === 'xstate.emit')
    // What XState puts there for every `emit`.
    .map(({ params }) => (params as { readonly event: EventObject }).event);
  return { next, emitted, edges };
}

/** A state and its context as one text: equal texts, equal snapshots. */
export function textOf(snapshot: AnyMachineSnapshot): string {
  return `${valueOf(snapshot)} ${JSON.stringify(contextOf(snapshot))}`;
}

/** The state as text, without the context. */
export function valueOf(snapshot: AnyMachineSnapshot): string {
  return JSON.stringify(snapshot.value);
}

export function contextOf(snapshot: AnyMachineSnapshot): unknown {
  return snapshot.context;
}
