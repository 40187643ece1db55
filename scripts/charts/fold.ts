import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { EmittedFact } from './fact-emissions.ts';
import { transitionsFor } from './chart-reader.ts';
import { nameIn } from './words.ts';

/** Where facts lead. */
export interface Folded {
  /** What has to hold for it besides the decision. */
  readonly guard: string | undefined;
  readonly end: AnyStateNode;
  /** True where no arrow takes them. */
  readonly isUntaken: boolean;
}

/**
 * Where facts lead from a state, one after the other: every way that a guard leaves open. A fact that is emitted once for each of something
 * may come or not; it is only followed where what comes after it leads to the same state either way.
 */
export function foldedFrom(start: AnyStateNode, facts: readonly EmittedFact[]): readonly Folded[] {
  let ways: readonly Folded[] = [{ guard: undefined, end: start, isUntaken: true }];
  let detours: readonly AnyStateNode[] = [];
  for (const fact of facts) {
    if (fact.each !== undefined) {
      detours = ways.flatMap(({ end }) => oneStep(end, fact).map((way) => way.end));
      continue;
    }
    const next = ways.flatMap((way) => oneStep(way.end, fact).map((step) => joined(way, step)));
    const others = detours.flatMap((end) => oneStep(end, fact).map((step) => step.end));
    ways = next.every(({ end }) => others.every((other) => other === end)) ? next : landed(start, fact, detours, others);
    detours = [];
  }
  return ways;
}

/** Where the fact before has brought it to its end already, what follows changes nothing. */
function landed(start: AnyStateNode, { fact }: EmittedFact, detours: readonly AnyStateNode[], others: readonly AnyStateNode[]): Folded[] {
  const [end] = others;
  if (!end || detours.some((one) => one !== end) || others.some((one) => one !== end))
    throw new Error(`From ${start.id}, ${fact} leads to several states, by what was emitted before it. Such a flow cannot be drawn.`);
  return [{ guard: undefined, end, isUntaken: false }];
}

function joined(way: Folded, step: Folded): Folded {
  if (way.guard !== undefined && step.guard !== undefined)
    throw new Error(`Two facts with guards cannot be drawn: ${way.guard}, ${step.guard}.`);
  return { guard: way.guard ?? step.guard, end: step.end, isUntaken: way.isUntaken && step.isUntaken };
}

function oneStep(node: AnyStateNode, fact: EmittedFact): Folded[] {
  const ways: Folded[] = [];
  for (const transition of transitionsFor(node, fact.fact)) {
    const settled = settledBy(transition, fact);
    if (settled === false) continue;
    ways.push({ guard: settled ? undefined : nameIn(transition.guard), end: leafOf(transition.target?.[0] ?? node), isUntaken: false });
    if (settled) break;
  }
  return ways.length > 0 ? ways : [{ guard: undefined, end: node, isUntaken: true }];
}

/** True or false where the fact's payload says it, undefined where the context does. */
function settledBy({ guard, source }: AnyTransitionDefinition, { fact, payload }: EmittedFact): boolean | undefined {
  if (guard === undefined) return true;
  if (payload === undefined || nameIn(guard) !== 'isExpiry') return undefined;
  const check = source.machine.implementations.guards['isExpiry'] as (given: object, params: undefined) => boolean;
  return check({ context: {}, event: { type: fact, payload } }, undefined);
}

function leafOf(node: AnyStateNode): AnyStateNode {
  const [first] = node.type === 'compound' ? (node.initial.target ?? []) : [];
  return first ? leafOf(first) : node;
}
