import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, AnyTransitionDefinition, StateValue } from 'xstate';

/** Every state of a chart, the whole included. */
export function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const below = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(below)];
  return below(machine.root);
}

/** An edge by name: the state that it leaves, its event, and which of that event's branches it is. */
export function edgeName(edge: AnyTransitionDefinition): string {
  const { source } = edge;
  // The library types it by whatever the machine declares.
  const eventType = edge.eventType as string;
  const isAlways = eventType === '';
  const branches = isAlways ? (source.always ?? []) : (source.transitions.get(eventType) ?? []);
  return `${source.id} ${isAlways ? 'always' : eventType} #${branches.indexOf(edge)}`;
}

/** The names of all edges that a chart draws. */
export function edgesOf(machine: AnyStateMachine): string[] {
  return statesOf(machine).flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(edgeName));
}

/** Every refusal code that a chart names. */
export function refusalsOf(machine: AnyStateMachine): Set<string> {
  const actions = statesOf(machine).flatMap((node) => [...node.transitions.values()].flat().flatMap((definition) => definition.actions));
  const codes = actions.flatMap((action) =>
    typeof action === 'object' && action.type === 'refuse' ? [(action.params as { readonly code: string }).code] : [],
  );
  return new Set(codes);
}

/** Every event type that a chart has an arrow for. */
export function eventTypesOf(machine: AnyStateMachine): Set<string> {
  return new Set(statesOf(machine).flatMap((node) => [...node.transitions.keys()]));
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
