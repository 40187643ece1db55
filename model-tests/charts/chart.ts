import {
  transition,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type EventObject,
  type StateValue,
} from 'xstate';

/** A chart, the alphabet that it is walked with, and how far. */
export interface BoundedChart {
  readonly name: string;
  readonly machine: AnyStateMachine;
  /** Every event, with each payload that a guard can tell apart. */
  readonly alphabet: readonly EventObject[];
  /** True where the law says that each fact is taken until the end, however odd it is. */
  readonly takesEveryFact: boolean;
  /** States beyond are looked at, and not walked on from. */
  readonly isBeyond: (context: unknown) => boolean;
  /** Contexts that no short walk reaches (a limit that is full), with the state that they are put in. */
  readonly presets: readonly AnyMachineSnapshot[];
}

/** One step of a chart: where it went, what it emitted, and which of its transitions it took. */
export interface Step {
  readonly next: AnyMachineSnapshot;
  readonly emitted: readonly EventObject[];
  readonly edges: readonly string[];
}

/** Takes one event, by pure `transition`. */
export function take(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: EventObject): Step {
  const edges = machine.getTransitionData(snapshot, event).map((definition) => edgeName(definition, indexOf(definition)));
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

/** The names of all transitions that the chart draws. */
export function edgesOf(machine: AnyStateMachine): string[] {
  return statesOf(machine).flatMap((node) =>
    [...node.transitions.values()].flatMap((branches) => branches.map((definition, index) => edgeName(definition, index))),
  );
}

/** All state nodes, the root aside. */
export function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const below = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(below)];
  return below(machine.root);
}

/** The ids of the states that a snapshot is in, outermost first. */
export function activeIdsOf({ machine, value }: AnyMachineSnapshot): string[] {
  const within = (prefix: string, at: StateValue): string[] =>
    typeof at === 'string'
      ? [`${prefix}.${at}`]
      : Object.entries(at).flatMap(([key, below]) => [
          `${prefix}.${key}`,
          ...(below === undefined ? [] : within(`${prefix}.${key}`, below)),
        ]);
  return [machine.id, ...within(machine.id, value as StateValue)];
}

/** Every event type that the chart has an arrow for. */
export function eventTypesOf(machine: AnyStateMachine): Set<string> {
  return new Set(statesOf(machine).flatMap((node) => [...node.transitions.keys()]));
}

/** Every refusal code that the chart names. */
export function refusalsOf(machine: AnyStateMachine): Set<string> {
  const actions = statesOf(machine).flatMap((node) => [...node.transitions.values()].flat().flatMap((definition) => definition.actions));
  const codes = actions.flatMap((action) =>
    typeof action === 'object' && action.type === 'refuse' ? [(action.params as { readonly code: string }).code] : [],
  );
  return new Set(codes);
}

function edgeName({ source, eventType }: AnyTransitionDefinition, index: number): string {
  return `${source.id} ${eventType} #${index}`;
}

function indexOf(definition: AnyTransitionDefinition): number {
  return definition.source.transitions.get(String(definition.eventType))?.indexOf(definition) ?? -1;
}
