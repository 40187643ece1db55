import type { AnyStateNode } from 'xstate';
import { inLongForm, type ChartLiteral } from './chart-json.ts';
import { flowRow, type FlowOf, type FlowRow } from './flow.ts';

interface FlowState {
  readonly node: AnyStateNode;
  readonly row: FlowRow;
  readonly states: readonly FlowState[];
}

/**
 * A recorded chart as a flow: the same states, in which the intents move. Each does at once what its facts would do when they are folded;
 * those facts stand as its actions, and a refusal stays where it is. States that no intent leads to are left out. It has no context: what
 * depends on one is a guard, by name.
 */
export function flowChart(of: FlowOf): ChartLiteral {
  const { chart } = of;
  const state = lifted(stateOf(chart.root, of, reached(of)));
  return {
    id: chart.id,
    description: `${chart.root.description ?? ''} Here intents move: what each is decided into is folded at once.`,
    ...inLongForm(literalOf(state)),
  };
}

/** The leaves that intents lead to. */
function reached(of: FlowOf): ReadonlySet<AnyStateNode> {
  const { chart } = of;
  const begin = firstLeaf(chart.root);
  const found = new Set([begin]);
  for (const leaf of found)
    for (const { target } of Object.values(flowRow(leaf, of)).flat())
      if (target !== undefined) found.add(chart.getStateNodeById(target.slice(1)));
  return found;
}

function firstLeaf(node: AnyStateNode): AnyStateNode {
  const [first] = node.initial?.target ?? [];
  return first ? firstLeaf(first) : node;
}

function stateOf(node: AnyStateNode, of: FlowOf, known: ReadonlySet<AnyStateNode>): FlowState {
  const children = Object.values(node.states).map((child) => stateOf(child, of, known));
  const states = children.filter(({ node: child, states: inner }) => known.has(child) || inner.length > 0);
  return { node, row: Object.keys(node.states).length === 0 ? flowRow(node, of) : {}, states };
}

/** What all states in a state do alike stands at that state. What is final takes no event: what its like refuse stands at the root. */
function lifted({ node, row, states }: FlowState): FlowState {
  const inner = states.map(lifted);
  const finals = inner.filter((one) => one.node.type === 'final');
  const groups = finals.length > 0 ? finals : inner;
  const [first] = groups;
  const common = Object.entries(first?.row ?? {}).filter(([intent, branches]) =>
    groups.every((one) => JSON.stringify(one.row[intent]) === JSON.stringify(branches)),
  );
  const gone = new Set(common.map(([intent]) => intent));
  const left = inner.map((one) => (groups.includes(one) ? { ...one, row: without(one.row, gone) } : one));
  return { node, row: { ...row, ...Object.fromEntries(common) }, states: left };
}

function without(row: FlowRow, gone: ReadonlySet<string>): FlowRow {
  return Object.fromEntries(Object.entries(row).filter(([intent]) => !gone.has(intent)));
}

function literalOf({ node, row, states }: FlowState): Record<string, unknown> {
  const on = Object.fromEntries(Object.entries(row).map(([intent, branches]) => [intent, branches.length === 1 ? branches[0] : branches]));
  const inner = Object.fromEntries(states.map((one) => [one.node.key, literalOf(one)]));
  const [initial] = node.initial?.target ?? [];
  return {
    ...(node.parent && node.description !== undefined && { description: node.description }),
    ...(node.tags.length > 0 && { tags: node.tags }),
    ...(node.type === 'final' && { type: 'final' }),
    ...(initial && { initial: initial.key }),
    ...(Object.keys(on).length > 0 && { on }),
    ...(states.length > 0 && { states: inner }),
  };
}
