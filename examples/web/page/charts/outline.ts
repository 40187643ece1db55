import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** A state as it is drawn: a box, with the boxes of its own states in it. */
export interface StateBox {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final';
  readonly states: readonly StateBox[];
}

/** Everything that leads from one state to another, as one arrow. */
export interface Arrow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** What it takes, in the machine's own words. */
  readonly events: readonly string[];
}

/** A chart as it is drawn, read from the machine itself. */
export interface Outline {
  readonly root: StateBox;
  readonly arrows: readonly Arrow[];
}

/** The id of an arrow; what a running machine reports leads to the arrow that was drawn. */
export const arrowId = (from: string, to: string): string => `${from} → ${to}`;

/** Where a compound state begins is drawn as a dot in it. */
export const startOf = (id: string): string => `${id} (start)`;

/** Reads a machine: every state, and every transition that leads to another one. */
export function outline(machine: AnyStateMachine): Outline {
  const arrows = new Map<string, Arrow>();
  const add = (from: string, to: string, event: string): void => {
    const id = arrowId(from, to);
    const known = arrows.get(id);
    if (!known) arrows.set(id, { id, from, to, events: [event] });
    else if (!known.events.includes(event)) arrows.set(id, { ...known, events: [...known.events, event] });
  };
  const read = (node: AnyStateNode): StateBox => {
    for (const transition of [...node.transitions.values()].flat().concat(node.always ?? []))
      for (const target of transition.target ?? [])
        if (target !== node || transition.reenter) add(node.id, target.id, wordOf(String(transition.eventType)));
    const states = Object.values(node.states).map(read);
    const first = node.type === 'compound' ? node.initial.target?.[0] : undefined;
    if (first && node.parent) add(startOf(node.id), first.id, '');
    return { id: node.id, name: node.parent ? node.key : node.id, description: node.description ?? '', kind: kindOf(node), states };
  };
  return { root: read(machine.root), arrows: [...arrows.values()] };
}

function kindOf({ type }: AnyStateNode): StateBox['kind'] {
  return type === 'history' ? 'atomic' : type;
}

/** XState's own events, as people call them. */
export function wordOf(event: string): string {
  if (event === '') return 'at once';
  const [, what, rest = ''] = /^xstate\.(after|done|error)\.(.*)$/.exec(event) ?? [];
  if (what === 'after') return `after ${rest.split('.')[0] ?? ''}`;
  if (what) return `${rest.replace(/^actor\.|^state\./, '')} ${what === 'done' ? 'done' : 'failed'}`;
  return event === 'xstate.init' ? 'start' : event;
}
