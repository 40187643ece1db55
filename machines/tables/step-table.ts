import type { AnyMachineSnapshot, AnyStateMachine, EventObject, ExecutableActionObject } from 'xstate';

/** What XState answers to one step: the next snapshot, and the actions that an actor would execute. */
export type StepAnswer = readonly [AnyMachineSnapshot, readonly ExecutableActionObject[]];
/** A chart's own step, by XState. */
export type XStateStep = (snapshot: AnyMachineSnapshot, event: EventObject) => StepAnswer;

type Args = { readonly context: unknown; readonly event: EventObject };
type Guard = (args: Args, params?: unknown) => boolean;

/** A named action of a recorded chart: what `assign` and `enqueueActions` make. */
interface Action {
  readonly type?: string;
  readonly assignment?: unknown;
  readonly collect?: (args: object, params: unknown) => void;
}
/** An action as a transition names it. */
type NamedAction = string | { readonly type: string; readonly params?: unknown };

/** What one event does in one state, where the guards say the same. */
interface Cell {
  /** False where no transition takes the event. */
  readonly isTaken: boolean;
  /** The snapshot that XState came to, whose context is another; undefined where the chart stays as it is. */
  readonly next: AnyMachineSnapshot | undefined;
  /** What the chart ends with, where this event ends it; undefined where it goes on, and where nothing is made of an end. */
  readonly output: ((context: unknown) => unknown) | undefined;
  readonly actions: readonly { readonly action: Action; readonly params: unknown }[];
}
/** One event in one state. A cell that is `null` is left to XState. */
interface Column {
  readonly guards: readonly Guard[];
  readonly cells: (Cell | null | undefined)[];
}

const none: readonly ExecutableActionObject[] = [];
/** Guards of one event in one state, at most: there is a cell for each combination. */
const GUARDS_MAX = 6;

/**
 * What a recorded chart does, learned from XState: the first time that an event meets a state under some answers of its guards, XState takes the
 * step, and what it did is kept as a cell. From then on the guards find the cell, and its named actions are run on the context, for a tenth of
 * the cost. A cell whose actions do not give what XState gave is left to XState for ever; so is what is no `assign` and no emit.
 */
export class StepTable {
  readonly #machine: AnyStateMachine;
  readonly #byXState: XStateStep;
  readonly #events: ReadonlySet<string>;
  /** Columns by state value: a snapshot that came out of the table has the very value of its cell. */
  readonly #byValue = new WeakMap<object, Map<string, Column>>();
  readonly #byText = new Map<string, Map<string, Column>>();

  constructor(machine: AnyStateMachine, byXState: XStateStep) {
    this.#machine = machine;
    this.#byXState = byXState;
    // What is no event of the chart comes from logs of others, and there is no end to it.
    this.#events = eventsOf(machine);
  }

  /** One step; what XState answers. */
  step(snapshot: AnyMachineSnapshot, event: EventObject): StepAnswer {
    const cell = this.#cellOf(snapshot, event);
    try {
      if (cell) return follow(cell, snapshot, event);
    } catch {
      // An action that asks for more than it did when the cell was learned, or one that throws: then it does so again.
    }
    return this.#byXState(snapshot, event);
  }

  /** True where a transition takes the event, as `snapshot.can` says. */
  takes(snapshot: AnyMachineSnapshot, event: EventObject): boolean {
    return this.#cellOf(snapshot, event)?.isTaken ?? snapshot.can(event);
  }

  #cellOf(snapshot: AnyMachineSnapshot, event: EventObject): Cell | null {
    if (!this.#events.has(event.type)) return null;
    const columns = this.#columnsOf(snapshot);
    let column = columns.get(event.type);
    if (!column) columns.set(event.type, (column = this.#columnOf(snapshot, event.type)));
    const { guards, cells } = column;
    if (guards.length > GUARDS_MAX) return null;
    let at = 0;
    try {
      const args = { context: snapshot.context as unknown, event };
      for (const guard of guards) at = at * 2 + (guard(args) ? 1 : 0);
    } catch {
      // XState may never ask a guard that throws.
      return null;
    }
    const known = cells[at];
    return known === undefined ? (cells[at] = this.#learn(snapshot, event)) : known;
  }

  #columnsOf({ value }: AnyMachineSnapshot): Map<string, Column> {
    const isText = typeof value === 'string';
    const known = isText ? this.#byText.get(value) : this.#byValue.get(value as object);
    if (known) return known;
    const text = isText ? value : JSON.stringify(value);
    const columns = this.#byText.get(text) ?? new Map<string, Column>();
    this.#byText.set(text, columns);
    if (!isText) this.#byValue.set(value as object, columns);
    return columns;
  }

  /** The guards that an event may be asked about in a state; `stateIn` says the same whenever the chart is there. */
  #columnOf({ _nodes }: AnyMachineSnapshot, type: string): Column {
    const transitions = _nodes.flatMap((node) => node.transitions.get(type) ?? []);
    const guards = new Set(transitions.flatMap(({ guard }) => this.#guardsIn(guard)));
    return { guards: [...guards], cells: [] };
  }

  #guardsIn(guard: unknown): readonly Guard[] {
    if (guard === undefined) return [];
    const found: unknown = typeof guard === 'string' ? this.#machine.implementations.guards[guard] : guard;
    if (typeof found !== 'function') return [leftToXState];
    // What `and`, `or`, `not` and `stateIn` make is a function too.
    const { guards, check } = found as { readonly guards?: readonly unknown[]; readonly check?: unknown };
    if (guards) return guards.flatMap((each) => this.#guardsIn(each));
    return check ? [] : [found as Guard];
  }

  #learn(snapshot: AnyMachineSnapshot, event: EventObject): Cell | null {
    const answer = this.#byXState(snapshot, event);
    const transitions = this.#machine.getTransitionData(snapshot, event);
    const named = transitions.flatMap(({ actions }) => actions as readonly NamedAction[]);
    const actions = named.map((each) => {
      const { type, params } = typeof each === 'string' ? { type: each, params: undefined } : each;
      return { action: (this.#machine.implementations.actions as Readonly<Record<string, Action>>)[type] ?? {}, params };
    });
    const [next] = answer;
    const isMoved = next !== snapshot;
    const cell: Cell = {
      isTaken: snapshot.can(event),
      next: isMoved ? { ...next, context: undefined } : undefined,
      output: isMoved && next.output !== undefined ? this.#outputOf(next) : undefined,
      actions,
    };
    if (typeof next.value === 'object') this.#columnsOf(next);
    try {
      return textOf(follow(cell, snapshot, event)) === textOf(answer) ? cell : null;
    } catch {
      return null;
    }
  }

  /** What a chart that ends there makes of what it remembers then, as XState asks it: the state that it ended in says how. */
  #outputOf({ _nodes }: AnyMachineSnapshot): (context: unknown) => unknown {
    const { root } = this.#machine;
    const ended = _nodes.find((node) => node.type === 'final' && node.parent === root);
    const event = { type: `xstate.done.state.${ended?.id}`, output: ended?.output as unknown };
    // Any chart's here; one whose output is no plain function throws, and is left to XState.
    return (context) => (root.output as unknown as (args: object) => unknown)({ context, event });
  }
}

/** Stands for what the table does not know. */
const leftToXState: Guard = () => {
  throw new Error('A guard is no plain function.');
};

/** Runs a cell's actions one after the other, each on the context that those before it left. */
function follow({ actions, next, output }: Cell, snapshot: AnyMachineSnapshot, event: EventObject): StepAnswer {
  let context: unknown = snapshot.context;
  let emitted: ExecutableActionObject[] | undefined;
  for (const { action, params } of actions) {
    if (action.collect) {
      // What an actor would be given more is not there: who asks for it throws.
      const emit = (fact: unknown): void => void (emitted ??= []).push({ type: 'xstate.emit', params: { event: fact } } as never);
      action.collect({ context, event, enqueue: { emit } }, params);
    } else context = Object.assign({}, context, updateOf(action.assignment, { context, event }, params));
  }
  const after = next ? { ...next, context, ...(output && { output: output(context) }) } : snapshot;
  // An output only where the cell is that of an end, and so is its status.
  return [after as AnyMachineSnapshot, emitted ?? none];
}

function updateOf(assignment: unknown, args: Args, params: unknown): object {
  if (typeof assignment === 'function') return (assignment as (args: Args, params: unknown) => object)(args, params);
  const members = Object.entries(assignment as object) as readonly [string, unknown][];
  return Object.fromEntries(
    members.map(([key, value]) => [
      key,
      typeof value === 'function' ? (value as (args: Args, params: unknown) => unknown)(args, params) : value,
    ]),
  );
}

/** What two answers are compared by: contexts of recorded charts are JSON. */
function textOf([{ value, status, context, output }, actions]: StepAnswer): string {
  const emitted = actions.map(({ type, params }) => [type, (params as { readonly event?: unknown } | undefined)?.event]);
  return JSON.stringify([value, status, context, output, emitted]);
}

/**
 * The events of a chart in which a step is what its transitions say, and no more: nothing on entry or exit, nothing without an event, no wildcard.
 * None of any other chart.
 */
function eventsOf({ root }: AnyStateMachine): ReadonlySet<string> {
  const nodes = [root];
  const events = new Set<string>();
  for (const node of nodes) {
    const more = [node.entry, node.exit, node.invoke, node.after, node.always ?? []];
    if (more.some(({ length }) => length > 0) || node.type === 'history') return new Set();
    for (const type of node.transitions.keys()) events.add(type);
    nodes.push(...Object.values(node.states));
  }
  return [...events].some((type) => type.includes('*')) ? new Set() : events;
}
