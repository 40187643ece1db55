import { createMachine, type AnyStateMachine } from 'xstate';

/** A chart with one small fault. */
export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  readonly machine: AnyStateMachine;
}

/** The parts of a chart's literal that are changed. */
interface StateLiteral {
  initial?: string;
  type?: string;
  tags?: string[];
  on?: Record<string, TransitionLiteral | TransitionLiteral[]>;
  states?: Record<string, StateLiteral>;
}
interface TransitionLiteral {
  target?: string;
  guard?: unknown;
  actions?: ActionLiteral | ActionLiteral[];
}
type ActionLiteral = string | { readonly type: string; readonly params?: Readonly<Record<string, unknown>> };

/** Where a state stands in the literal, and its names from the root. */
interface Place {
  readonly path: readonly string[];
  readonly siblings: readonly string[];
}

type Guards = Readonly<Record<string, (args: unknown, params: unknown) => boolean>>;

/** What a chart's own transitions are changed with. */
interface Palette {
  /** Its actions that have parameters. */
  readonly params: readonly ActionLiteral[];
  readonly guards: Guards;
}

/** A change of a literal that is this mutant's own. */
type Change = readonly [name: string, change: (literal: StateLiteral) => void];

/**
 * Every small fault of a chart: each transition dropped, and sent to each sibling state; each guard dropped, negated, and put before its elder; each
 * action dropped, each two of them swapped, each parameter made another of its kind; each tag dropped; another beginning; an end that is none.
 */
export function* mutantsOf(machine: AnyStateMachine): Generator<Mutant> {
  const guards = machine.implementations.guards as unknown as Guards;
  const literal = machine.config as unknown as StateLiteral;
  const params = [...new Set(actionsIn(literal).flatMap((action) => (typeof action === 'string' ? [] : [JSON.stringify(action)])))].map(
    (text) => JSON.parse(text) as ActionLiteral,
  );
  for (const place of placesIn(literal)) {
    for (const [name, change] of changesOf(stateAt(literal, place.path), place, { params, guards })) {
      const copy = JSON.parse(JSON.stringify(literal)) as StateLiteral;
      change(stateAt(copy, place.path));
      yield { name: `${['', ...place.path].join('.')} ${name}`, machine: createMachine(copy as never, machine.implementations as never) };
    }
  }
}

function* changesOf(state: StateLiteral, place: Place, palette: Palette): Generator<Change> {
  for (const tag of state.tags ?? []) yield [`without the tag ${tag}`, (own) => (own.tags = own.tags?.filter((one) => one !== tag) ?? [])];
  if (state.type === 'final') yield ['is no end', (own) => delete own.type];
  for (const other of Object.keys(state.states ?? {}))
    if (state.initial !== undefined && other !== state.initial) yield [`begins as ${other}`, (own) => (own.initial = other)];
  for (const [event, given] of Object.entries(state.on ?? {})) {
    const all = listOf(given);
    if (all.length > 1) yield [`${event} without all`, (own) => delete own.on?.[event]];
    for (const [nth, transition] of all.entries()) yield* transitionChanges(event, nth, transition, all.length, place, palette);
  }
}

function* transitionChanges(
  event: string,
  nth: number,
  transition: TransitionLiteral,
  count: number,
  { siblings, path }: Place,
  { params, guards }: Palette,
): Generator<Change> {
  const at = (own: StateLiteral): TransitionLiteral[] => {
    const list = listOf(own.on?.[event] ?? []);
    if (own.on) own.on[event] = list;
    return list;
  };
  const one = (own: StateLiteral): TransitionLiteral => at(own)[nth] ?? {};
  const name = count > 1 ? `${event} ${nth + 1}` : event;
  yield [`${name} dropped`, (own) => void at(own).splice(nth, 1)];
  if (nth > 0)
    yield [
      `${name} before its elder`,
      (own) => {
        const list = at(own);
        list.splice(nth - 1, 0, ...list.splice(nth, 1));
      },
    ];
  if (transition.target !== undefined) yield [`${name} stays`, (own) => delete one(own).target];
  // A root has no sibling to go to.
  if (path.length > 0)
    for (const sibling of siblings)
      if (sibling !== transition.target) yield [`${name} goes to ${sibling}`, (own) => (one(own).target = sibling)];
  if (transition.guard !== undefined) {
    yield [`${name} unguarded`, (own) => delete one(own).guard];
    yield [`${name} guarded by the contrary`, (own) => (one(own).guard = contraryOf(transition.guard, guards))];
  }
  const actions = listOf(transition.actions ?? []);
  for (const [which, action] of actions.entries()) {
    const label = typeof action === 'string' ? action : action.type;
    yield [`${name} without ${label}`, (own) => (one(own).actions = actions.filter((_, each) => each !== which))];
    if (typeof action !== 'string')
      for (const other of params)
        if (JSON.stringify(other) !== JSON.stringify(action))
          yield [`${name} with ${JSON.stringify(other)}`, (own) => (one(own).actions = actions.with(which, other))];
  }
  if (actions.length > 1) yield [`${name} with its actions the other way round`, (own) => (one(own).actions = [...actions].reverse())];
}

/** Guards by name only: a composed one is dropped, not negated. */
function contraryOf(guard: unknown, guards: Guards): unknown {
  const own = typeof guard === 'string' ? guards[guard] : undefined;
  if (!own) throw new Error(`A guard without a name cannot be negated: ${JSON.stringify(guard)}`);
  return (args: unknown, given: unknown) => !own(args, given);
}

/** Every state, the root first. */
function placesIn(state: StateLiteral, path: readonly string[] = [], siblings: readonly string[] = []): Place[] {
  const names = Object.keys(state.states ?? {});
  const inner = names.flatMap((name) =>
    placesIn(
      state.states?.[name] ?? {},
      [...path, name],
      names.filter((other) => other !== name),
    ),
  );
  return [{ path, siblings }, ...inner];
}

function stateAt(literal: StateLiteral, path: readonly string[]): StateLiteral {
  return path.reduce<StateLiteral>((state, name) => state.states?.[name] ?? {}, literal);
}

function actionsIn(state: StateLiteral): ActionLiteral[] {
  const own = Object.values(state.on ?? {}).flatMap((given) => listOf(given).flatMap(({ actions = [] }) => listOf(actions)));
  return [...own, ...Object.values(state.states ?? {}).flatMap(actionsIn)];
}

function listOf<T>(given: T | T[]): T[] {
  return Array.isArray(given) ? [...given] : [given];
}
