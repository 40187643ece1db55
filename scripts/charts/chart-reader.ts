import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** A state and all states in it. */
export function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

/** What a state, or the nearest around it that knows the event, does with it. */
export function transitionsFor(node: AnyStateNode, event: string): readonly AnyTransitionDefinition[] {
  for (let at: AnyStateNode | undefined = node; at; at = at.parent) {
    const found = at.transitions.get(event);
    if (found) return found;
  }
  return [];
}
