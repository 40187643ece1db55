import { isDeepStrictEqual } from 'node:util';
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, AnyTransitionDefinition, EventObject, StateValue } from 'xstate';
import { rowsOf, type DecisionCell, type DecisionRow, type StateRow, type TimeRow } from './decision-table.ts';
import { inOrder, StepObserver, type Effect, type ObservedStep } from './observed-step.ts';

/** A cell, and what a chart remembers in it. */
export interface ContextCell<Context> extends DecisionCell {
  readonly before: Context;
}

/** Where a cell is of no state: what a chart is given when it begins, as `input` of the event. */
export const BEGINNING = 'beginning';

/** A chart, and what it has to decide, by hand. */
export interface Decisions<Context> {
  readonly name: string;
  readonly machine: AnyStateMachine;
  /** Where the words of the rows are from, beside the protocol: from the root of the project. */
  readonly pages?: readonly string[];
  readonly states: readonly StateRow[];
  readonly times?: readonly TimeRow[];
  readonly rows: readonly DecisionRow[];
  /** What else is said from the same pages. */
  readonly asides?: readonly { readonly because: string }[];
  readonly cells: readonly ContextCell<Context>[];
  readonly events: Readonly<Record<string, EventObject>>;
  /** What it remembers at its beginning; where it is given something, cells of the beginning say so. */
  readonly begins?: Context;
  /** Whether it takes an entry is asked before it is told: then `taken` is said. */
  readonly tellsWhatItTakes?: boolean;
  /** What it is told in a state, where that is another event. */
  eventIn?(told: string, state: string, before: Context): EventObject | undefined;
  /** The value of a state of the table. */
  value(state: string): StateValue;
  /** Where a word of the table leads from a state, where it is not the name of one; the empty word where it stays. */
  then?(word: string, state: string, told: string): string | undefined;
  /** What a word of the table stands for, where what it was told bears the rest; `after` is what is remembered then. */
  said(word: string, event: EventObject, before: Context, after: Context): readonly Effect[];
  /** What is remembered after a change that a word names; undefined for a word that it does not know. */
  changed(word: string, before: Context, event: EventObject, state: string): Context | undefined;
  /** The id of an actor that the table names, where it is another; undefined where there is none. */
  actor?(word: string, context: Context): string | undefined;
  /** What it ends with. */
  output?(state: string, context: Context): unknown;
}

/** What has to be seen of a cell. */
interface Wanted {
  readonly effects: readonly Effect[];
  readonly value: StateValue;
  readonly context: unknown;
  /** Ids of the actors that run; undefined where it has ended. */
  readonly running: readonly string[] | undefined;
  readonly output: unknown;
}

/** A cell with all that its row says; `wanted` is undefined where there is no row. */
export interface JudgedCell {
  readonly name: string;
  readonly state: string;
  /** The states of the chart that it is in, by their own names. */
  readonly within: readonly string[];
  readonly event: EventObject | undefined;
  readonly before: unknown;
  readonly running: readonly string[];
  readonly wanted: Wanted | undefined;
}

/** Reads every cell's row. Once for all charts that are held against it. */
export function judgedCells<Context>(decisions: Decisions<Context>): JudgedCell[] {
  const { rows, cells, events, value, states } = decisions;
  const rowOf = (name: string): StateRow | undefined => states.find(({ state }) => state === name);
  const running = (name: string, context: Context): string[] =>
    (rowOf(name)?.runs ?? []).flatMap((word) => (decisions.actor ? (decisions.actor(word, context) ?? []) : [word])).sort();
  // A table of many rows is read once for each thing that is told.
  const rowsFor = new Map([...new Set(cells.map(({ told }) => told))].map((told) => [told, rows.filter((row) => row.told.includes(told))]));
  const withinOf = new Map(states.map(({ state }) => [state, namesIn(value(state))]));
  return cells.map((cell) => {
    const { state, told, where, before } = cell;
    const [row] = rowsOf(rowsFor.get(told) ?? [], cell);
    const event = decisions.eventIn?.(told, state, before) ?? events[told];
    const within = withinOf.get(state) ?? [];
    const judged = { name: `${state}, ${told}, ${where}`, state, within, event, before, running: running(state, before) };
    if (!row || !event) return { ...judged, wanted: undefined };
    const then = decisions.then?.(row.then ?? '', state, told) ?? row.then ?? state;
    const after = row.remembers.reduce<Context | undefined>((now, word) => now && decisions.changed(word, now, event, state), before);
    const isEnd = rowOf(then)?.isEnd === true;
    const wanted = {
      effects: inOrder(row.says.flatMap((word) => decisions.said(word, event, before, after as Context))),
      value: value(then),
      context: after,
      running: isEnd ? undefined : running(then, after as Context),
      output: isEnd && after ? decisions.output?.(then, after) : undefined,
    };
    return { ...judged, wanted };
  });
}

function namesIn(value: StateValue): string[] {
  return typeof value === 'string' ? [value] : Object.entries(value).flatMap(([name, inner]) => [name, ...(inner ? namesIn(inner) : [])]);
}

/** What a chart decides otherwise than its table says, a line each, as they are found; `onEdge` hears of what is compared with a row. */
export function* faultsOf<Context>(
  decisions: Decisions<Context>,
  machine: AnyStateMachine = decisions.machine,
  cells: readonly JudgedCell[] = judgedCells(decisions),
  onEdge?: (edge: AnyTransitionDefinition) => void,
): Generator<string> {
  yield* stateFaults(decisions, machine);
  yield* beginningFaults(decisions, machine);
  const observer = new StepObserver(machine, onEdge);
  for (const cell of cells) yield* cellFaults(decisions, machine, observer, cell);
}

/** What a state says of itself. */
type Meta = { readonly owes?: readonly string[] } | undefined;

function* stateFaults<Context>({ states, times = [], value, cells }: Decisions<Context>, machine: AnyStateMachine): Generator<string> {
  for (const { state, tags, isEnd, isPassing, waits, owes } of states) {
    if (isPassing) continue;
    const context = cells.find((cell) => cell.state === state)?.before;
    const snapshot = machine.resolveState({ value: value(state), context } as never) as AnyMachineSnapshot;
    const found = [...(snapshot.tags as ReadonlySet<string>)].sort();
    if (isEnd !== (snapshot.status === 'done')) yield `${state} is ${isEnd ? 'not ' : ''}over`;
    if (!isDeepStrictEqual(found, tags)) yield `${state} has the tags ${found.join(', ')}`;
    const named = snapshot._nodes.flatMap(({ after }: AnyStateNode) => after.map(({ delay }) => String(delay)));
    const passing = [...new Set(named)].sort();
    if (!isDeepStrictEqual(passing, waits)) yield `${state} waits for ${passing.join(', ')}`;
    const due = [...new Set((Object.values(snapshot.getMeta()) as Meta[]).flatMap((meta) => meta?.owes ?? []))].sort();
    if (!isDeepStrictEqual(due, owes)) yield `${state} owes ${due.join(', ')}`;
  }
  for (const { time, where, ms } of times) {
    const [of, remembered] = where.split(': ');
    const cell = where === '' ? cells[0] : cells.find((one) => one.state.split('/')[0] === of && one.where === remembered);
    if (!cell) yield `${time}: there is no “${where}”`;
    const delay: unknown = machine.implementations.delays[time];
    const found: unknown = typeof delay === 'function' ? (delay as (args: object) => unknown)({ context: cell?.before }) : delay;
    if (found !== ms) yield `${time} is ${String(found)} ms, not ${ms}${where && `, in ${where}`}`;
  }
}

/** A chart that is given nothing begins in its first state. */
function* beginningFaults<Context>({ states, value, cells, begins }: Decisions<Context>, machine: AnyStateMachine): Generator<string> {
  if (cells.some(({ state }) => state === BEGINNING)) return;
  const [first] = states;
  const { next } = new StepObserver(machine).begin(undefined);
  if (!isDeepStrictEqual(next.value, value(first?.state ?? ''))) yield `it does not begin as ${first?.state}`;
  if (!isDeepStrictEqual(next.context, begins)) yield `at its beginning it remembers ${JSON.stringify(next.context)}`;
  const running = Object.keys(next.children as object).sort();
  if (!isDeepStrictEqual(running, [...(first?.runs ?? [])].sort())) yield `at its beginning there run ${running.join(', ')}`;
}

function stepOf(
  { value, tellsWhatItTakes }: Pick<Decisions<never>, 'value' | 'tellsWhatItTakes'>,
  machine: AnyStateMachine,
  observer: StepObserver,
  { state, event, before, running }: JudgedCell,
): ObservedStep {
  if (state === BEGINNING) return observer.begin((event as EventObject & { input?: unknown }).input);
  const from = machine.resolveState({ value: value(state), context: before } as never) as AnyMachineSnapshot;
  const step = observer.take(from, running, event as EventObject);
  return tellsWhatItTakes && from.can(event as EventObject) ? { ...step, effects: [{ type: 'taken' }, ...step.effects] } : step;
}

function cellFaults<Context>(
  decisions: Decisions<Context>,
  machine: AnyStateMachine,
  observer: StepObserver,
  cell: JudgedCell,
): readonly string[] {
  const { name, wanted } = cell;
  if (!wanted) return [`${name}: no row`];
  let step;
  try {
    step = stepOf(decisions, machine, observer, cell);
  } catch (error) {
    return [`${name}: ${String(error)}`];
  }
  const { next, effects } = step;
  const found: Wanted = {
    effects,
    value: next.value as StateValue,
    context: next.context,
    running: next.status === 'active' ? Object.keys(next.children as object).sort() : undefined,
    output: next.status === 'done' ? next.output : undefined,
  };
  return (['effects', 'value', 'context', 'running', 'output'] as const).flatMap((part) =>
    isDeepStrictEqual(found[part], wanted[part])
      ? []
      : [`${name}: ${part} is ${JSON.stringify(found[part])}, not ${JSON.stringify(wanted[part])}`],
  );
}

/** Every value that a chart may have: each state without inner ones, with each of the regions beside it. */
export function valuesOf({ type, key, states }: AnyStateNode): StateValue[] {
  const inner = Object.values(states).map((state) => ({
    key: state.key,
    values: Object.keys(state.states).length > 0 ? valuesOf(state) : undefined,
  }));
  if (type !== 'parallel')
    return inner.flatMap(({ key: name, values }): StateValue[] => values?.map((value) => ({ [name]: value })) ?? [name]);
  if (inner.some(({ values }) => !values)) throw new Error(`A region of ${key} has no states.`);
  return inner.reduce<StateValue[]>(
    (all, { key: name, values = [] }) => all.flatMap((one) => values.map((value) => ({ ...(one as object), [name]: value }))),
    [{}],
  );
}
