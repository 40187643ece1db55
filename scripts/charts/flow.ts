import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { isFactType } from '../../machines/wire/index.ts';
import { nodesOf, transitionsFor } from './chart-reader.ts';
import { decidedElsewhere, emittedBy, type EmittedFact } from './fact-emissions.ts';
import { foldedFrom } from './fold.ts';
import { nameIn } from './words.ts';

/** What an intent comes to, where its guard holds. */
export interface FlowBranch {
  readonly description?: string;
  readonly guard?: string;
  readonly target?: string;
  readonly actions?: readonly FlowAction[];
}
/** A fact that is written, or a refusal. */
export type FlowAction = string | { readonly type: string; readonly params: Readonly<Record<string, unknown>> };
/** What intents come to in one state, by their type. */
export type FlowRow = Readonly<Record<string, readonly FlowBranch[]>>;

/** One chart of an aggregate, and the one beside it that decides the rest of the intents. */
export interface FlowOf {
  readonly chart: AnyStateMachine;
  readonly beside: AnyStateMachine;
  /** Intents that both know and the other is asked first, each with the guard that says when. */
  readonly passedOn?: Readonly<Record<string, string>>;
}

/** What each intent comes to in one state of a chart: what is decided, and where its facts then lead. */
export function flowRow(node: AnyStateNode, { chart, beside, passedOn = {} }: FlowOf): FlowRow {
  const rows = [...intentsOf(chart), ...intentsOf(beside)].map((intent): [string, FlowBranch[]] => {
    const own = transitionsFor(node, intent);
    if (own.length === 0) return [intent, decidedBeside(node, intent, beside)];
    const first = passedOn[intent];
    return [
      intent,
      [...(first === undefined ? [] : refusedBeside(intent, first, beside)), ...own.flatMap((one) => decidedHere(node, one))],
    ];
  });
  return Object.fromEntries(rows.filter(([, branches]) => branches.length > 0));
}

/** The intents that a chart has an arrow for. */
export function intentsOf(chart: AnyStateMachine): readonly string[] {
  const types = nodesOf(chart.root).flatMap((node) => [...node.transitions.keys()]);
  return [...new Set(types)].filter((type) => !isFactType(type) && type !== 'log.joined');
}

function decidedHere(node: AnyStateNode, decision: AnyTransitionDefinition): FlowBranch[] {
  const { facts, refusals } = saidBy(decision);
  return foldedFrom(node, facts).map((folded) =>
    branch(node, {
      description: decision.description,
      guards: [decision.guard === undefined ? undefined : nameIn(decision.guard), folded.guard],
      end: folded.end,
      actions: [...facts.map(written), ...refusals],
    }),
  );
}

/** The other chart decides by a state that this one does not know: a guard says what it came to. Drawn where it moves this one. */
function decidedBeside(node: AnyStateNode, intent: string, beside: AnyStateMachine): FlowBranch[] {
  const known = new Set(nodesOf(node.machine.root).flatMap((one) => [...one.transitions.keys()]));
  const decisions = nodesOf(beside.root).flatMap((one) => one.transitions.get(intent) ?? []);
  const branches = new Map<string, FlowBranch>();
  for (const decision of decisions) {
    const { facts, refusals } = saidBy(decision);
    const seen = facts.filter(({ fact }) => known.has(fact));
    const telling = seen.findLast(({ each }) => each === undefined);
    if (!telling) continue;
    for (const folded of foldedFrom(node, seen)) {
      if (folded.isUntaken) continue;
      const guards = [decidedElsewhere[telling.fact] ?? telling.fact, folded.guard];
      const made = branch(node, { guards, end: folded.end, actions: [...seen.map(written), ...refusals] });
      branches.set(JSON.stringify(made), made);
    }
  }
  const all = [...branches.values()];
  return all.some(({ target }) => target !== undefined) ? all : [];
}

/** What the other chart refuses before this one is asked. */
function refusedBeside(intent: string, guard: string, beside: AnyStateMachine): FlowBranch[] {
  const refusals = nodesOf(beside.root).flatMap((one) =>
    (one.transitions.get(intent) ?? []).flatMap((decision) => saidBy(decision).refusals),
  );
  return [...new Set(refusals.map((refusal) => JSON.stringify(refusal)))].map((text) => ({
    guard,
    actions: [JSON.parse(text) as FlowAction],
  }));
}

interface Made {
  readonly description?: string | undefined;
  readonly guards: readonly (string | undefined)[];
  readonly end: AnyStateNode;
  readonly actions: readonly FlowAction[];
}

function branch(node: AnyStateNode, { description, guards, end, actions }: Made): FlowBranch {
  const guard = guards.filter((one) => one !== undefined).join(' and ');
  return {
    ...(description !== undefined && { description }),
    ...(guard !== '' && { guard }),
    ...(end !== node && { target: `#${end.id}` }),
    ...(actions.length > 0 && { actions }),
  };
}

function saidBy({ actions }: AnyTransitionDefinition): { facts: EmittedFact[]; refusals: FlowAction[] } {
  // A recorded chart names its actions, as text or, with parameters, as an object.
  const named = actions as readonly FlowAction[];
  const isRefusal = (action: FlowAction): boolean => typeof action === 'object' && action.type === 'refuse';
  return {
    facts: named.filter((action) => !isRefusal(action)).map((action) => emittedBy(typeof action === 'string' ? action : action.type)),
    refusals: named.filter(isRefusal),
  };
}

function written({ fact, each }: EmittedFact): FlowAction {
  return each === undefined ? fact : { type: fact, params: { each } };
}
