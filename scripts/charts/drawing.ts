import { createHash } from 'node:crypto';
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { isFactType } from '../../machines/wire/index.ts';
import { nodesOf } from './chart-reader.ts';
import { nameIn, transitionWords } from './words.ts';

/** A state as it is drawn. */
export interface Box {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly kind: 'state' | 'region' | 'final' | 'any';
  /** What happens in it without leaving it: entries, exits, actors, and events that stay. */
  readonly lines: readonly string[];
  readonly states: readonly Box[];
  /** Where it begins. */
  readonly initial?: string;
}

/** Everything that leads from one state to another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
}

/** What is to be seen of a chart. */
export interface Drawing {
  readonly root: Box;
  readonly arrows: readonly Arrow[];
}

/** How a chart is read. */
export interface DrawingOptions {
  /**
   * True for a chart whose facts move it: then what a state around others takes is drawn at those, where it leads to one of them. Intents,
   * which move nothing, stand in a table. Elsewhere it is one arrow from a mark that says "any".
   */
  readonly isRecorded: boolean;
}

/** What tells two drawings apart, and how each is laid out: the same in both, the same picture. */
export function digestOf(drawing: Drawing, direction: string): string {
  return createHash('sha256')
    .update(JSON.stringify([drawing, direction]))
    .digest('hex')
    .slice(0, 16);
}

/** Reads a chart: its states, what happens in each, and one arrow from one to another with all that leads along it. Refusals are no part. */
export function drawingOf(machine: AnyStateMachine, { isRecorded }: DrawingOptions): Drawing {
  const arrows = new Map<string, Set<string>>();
  const anys = new Set<AnyStateNode>();
  const stays = new Map<AnyStateNode, string[]>();
  const add = (from: string, to: string, line: string): void => {
    const key = `${from} ${to}`;
    arrows.set(key, (arrows.get(key) ?? new Set()).add(line));
  };
  const stay = (node: AnyStateNode, line: string): void => void stays.set(node, [...(stays.get(node) ?? []), line]);

  for (const node of nodesOf(machine.root))
    for (const transition of transitionsOf(node).filter((one) => isDrawn(one, machine, isRecorded))) {
      const line = transitionWords(transition);
      const [target] = transition.target ?? [];
      if (!target) stay(node, line);
      else if (target === node) stay(node, transition.reenter ? `↺ ${line}` : line);
      else if (!isWithin(target, node)) add(node.id, target.id, line);
      else if (!isRecorded) {
        anys.add(node);
        add(anyOf(node.id), target.id, line);
      } else
        for (const child of takersOf(node, transition)) {
          if (child === target) stay(child, line);
          else add(child.id, target.id, line);
        }
    }
  const boxOf = (node: AnyStateNode): Box => {
    const states = Object.values(node.states).map(boxOf);
    const [initial] = node.type === 'compound' ? (node.initial.target ?? []) : [];
    const any: Box = { id: anyOf(node.id), name: 'any', tags: [], kind: 'any', lines: [], states: [] };
    return {
      id: node.id,
      name: node.parent ? node.key : machine.id,
      tags: node.tags,
      kind: node.type === 'final' ? 'final' : node.parent?.type === 'parallel' ? 'region' : 'state',
      lines: [...ownLines(node), ...new Set(stays.get(node))],
      states: anys.has(node) ? [any, ...states] : states,
      ...(initial && { initial: initial.id }),
    };
  };
  const joined = [...arrows].map(([key, lines]): Arrow => ({
    from: key.split(' ')[0] ?? '',
    to: key.split(' ')[1] ?? '',
    lines: [...lines],
  }));
  return { root: boxOf(machine.root), arrows: joined };
}

/** The mark in a state that stands for any of those in it. */
export function anyOf(id: string): string {
  return `${id}.(any)`;
}

function isDrawn({ eventType, actions }: AnyTransitionDefinition, machine: AnyStateMachine, isRecorded: boolean): boolean {
  const isRefusal = actions.some((action) => typeof action === 'object' && action.type === 'refuse');
  if (isRefusal) return actions.length > 1 && !hasFacts(machine);
  return !(isRecorded && hasFacts(machine)) || isFactType(String(eventType)) || eventType === 'log.joined';
}

/** True for a chart that facts move, and not for its flow. */
function hasFacts(machine: AnyStateMachine): boolean {
  return nodesOf(machine.root).some((node) => [...node.transitions.keys()].some(isFactType));
}

/** The states in a state that leave an event to it. */
function takersOf(node: AnyStateNode, { eventType }: AnyTransitionDefinition): AnyStateNode[] {
  return Object.values(node.states).filter(
    (child) => child.type !== 'final' && !child.transitions.get(String(eventType))?.some(({ guard }) => guard === undefined),
  );
}

function ownLines(node: AnyStateNode): string[] {
  const effects = (when: string, actions: readonly unknown[]): string[] => {
    // Functions here are XState's own: they start and stop the timers of `after`.
    const names = actions.filter((action) => typeof action !== 'function').map(nameIn);
    return names.length > 0 ? [`${when} / ${names.join(', ')}`] : [];
  };
  return [...effects('entry', node.entry), ...effects('exit', node.exit), ...node.invoke.map(({ src }) => `runs ${nameIn(src)}`)];
}

function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

function isWithin(node: AnyStateNode, outer: AnyStateNode): boolean {
  return node.parent !== undefined && (node.parent === outer || isWithin(node.parent, outer));
}
