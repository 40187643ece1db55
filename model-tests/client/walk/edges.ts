import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** An edge by name: the state that it leaves, its event, and which of that event's branches it is. */
export function edgeName(edge: AnyTransitionDefinition): string {
  const { source } = edge;
  // The library types it by whatever the machine declares.
  const eventType = edge.eventType as string;
  const isAlways = eventType === '';
  const branches = isAlways ? (source.always ?? []) : (source.transitions.get(eventType) ?? []);
  return `${source.id} · ${isAlways ? 'always' : eventType} · ${branches.indexOf(edge)}`;
}

/** The names of all edges of a chart. */
export function edgeNames(machine: AnyStateMachine): string[] {
  const below = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(below)];
  return below(machine.root).flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(edgeName));
}
