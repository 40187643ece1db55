import { createMachine, not, type AnyStateMachine } from 'xstate';
import {
  actionsIn,
  copyOf,
  listOf,
  placesIn,
  slotsOf,
  stateAt,
  type ActionLiteral,
  type Place,
  type Several,
  type Slot,
  type StateLiteral,
  type TransitionLiteral,
} from './literal.ts';

/** A chart with one small fault. */
export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** Made when it is asked for; undefined where it does not even load. */
  readonly machine: () => AnyStateMachine | undefined;
  /** The state that it is in, by its names from the root; of none where it is in what the chart is given. */
  readonly path: readonly string[];
}

/** What a chart's own transitions are changed with. */
interface Palette {
  readonly literal: StateLiteral;
  /** Its actions that have parameters. */
  readonly params: readonly ActionLiteral[];
  readonly actions: readonly string[];
  readonly guards: readonly string[];
  readonly tags: readonly string[];
}

/** A change of a literal that is this mutant's own. */
type Change = readonly [name: string, change: (literal: StateLiteral) => void];

/** As many steps at once are a loop. */
const options = { maxIterations: 50 };

/** A chart of another literal, or of other implementations; undefined where there is none. */
export function machineOf(literal: object, implementations: object): AnyStateMachine | undefined {
  try {
    return createMachine({ ...literal, options } as never, implementations as never);
  } catch {
    return undefined;
  }
}

/**
 * Every small fault of a chart's literal: each transition dropped, and sent to each sibling of its source and its target; each guard dropped,
 * negated, made another, and put before its elder; each action dropped, each made another, each two of them swapped, each parameter made another
 * of its kind; each actor, each tag and each thing that is owed dropped, and each tag given to each state without it; another beginning; an end that is none, and one that is another.
 */
export function* mutantsOf(machine: AnyStateMachine): Generator<Mutant> {
  const literal = machine.config as unknown as StateLiteral;
  const params = [
    ...new Set(actionsIn(copyOf(literal)).flatMap((action) => (typeof action === 'string' ? [] : [JSON.stringify(action)]))),
  ].map((text) => JSON.parse(text) as ActionLiteral);
  const { actions, guards } = machine.implementations;
  const places = placesIn(literal);
  const tags = [...new Set(places.flatMap(({ path }) => stateAt(literal, path).tags ?? []))];
  const palette = { literal, params, actions: Object.keys(actions), guards: Object.keys(guards), tags };
  for (const place of places) {
    for (const [name, change] of changesOf(copyOf(stateAt(literal, place.path)), place, palette)) {
      const machineOfIt = (): AnyStateMachine | undefined => {
        const copy = copyOf(literal);
        change(stateAt(copy, place.path));
        return machineOf(copy, machine.implementations);
      };
      yield { name: `.${place.path.join('.')} ${name}`, machine: machineOfIt, path: place.path };
    }
  }
}

function* changesOf(state: StateLiteral, place: Place, palette: Palette): Generator<Change> {
  for (const tag of state.tags ?? []) yield [`without the tag ${tag}`, (own) => (own.tags = own.tags?.filter((one) => one !== tag) ?? [])];
  for (const tag of palette.tags)
    if (isWithout(tag, place, state, palette.literal)) yield [`with the tag ${tag}`, (own) => (own.tags = [...(own.tags ?? []), tag])];
  for (const owed of state.meta?.owes ?? [])
    yield [`does not owe “${owed}”`, (own) => (own.meta = { owes: own.meta?.owes?.filter((one) => one !== owed) ?? [] })];
  if (state.type === 'final') yield ['is no end', (own) => delete own.type];
  if (state.output !== undefined) yield ['ends with nothing', (own) => delete own.output];
  for (const other of Object.keys(state.states ?? {}))
    if (state.initial !== undefined && other !== state.initial) yield [`begins as ${other}`, (own) => (own.initial = other)];
  for (const when of ['entry', 'exit'] as const) {
    const given = state[when];
    if (given) yield* actionChanges(`${when}`, listOf(given), palette, (own, actions) => (own[when] = actions));
  }
  const { invoke } = state;
  if (invoke) {
    yield [`runs no ${invoke.id}`, (own) => delete own.invoke];
    if (invoke.input) yield [`gives ${invoke.id} nothing`, (own) => delete own.invoke?.input];
  }
  for (const slot of slotsOf(state)) {
    const all = slot.list(state);
    if (all.length > 1) yield [`${slot.label} without all`, (own) => slot.drop(own)];
    for (const nth of all.keys()) yield* transitionChanges(slot, nth, all, place, state, palette);
  }
}

/** Neither it nor what it is in has the tag; of one that is left at once nobody would see it. */
function isWithout(tag: string, { path }: Place, { always }: StateLiteral, literal: StateLiteral): boolean {
  const isPassing = always !== undefined && listOf(always).at(-1)?.guard === undefined;
  return !isPassing && !path.some((_, nth) => stateAt(literal, path.slice(0, nth + 1)).tags?.includes(tag)) && !literal.tags?.includes(tag);
}

function* transitionChanges(
  { label, list }: Slot,
  nth: number,
  all: readonly TransitionLiteral[],
  place: Place,
  state: StateLiteral,
  palette: Palette,
): Generator<Change> {
  const transition = all[nth] ?? {};
  const one = (own: StateLiteral): TransitionLiteral => list(own)[nth] ?? {};
  // A list is made anew each time that it is asked for, of the same transitions.
  const set = (own: StateLiteral, part: TransitionLiteral): void => void Object.assign(one(own), part);
  const name = all.length > 1 ? `${label} ${nth + 1}` : label;
  yield [`${name} dropped`, (own) => void changeList(own, list, (transitions) => transitions.toSpliced(nth, 1))];
  if (nth > 0)
    yield [
      `${name} before its elder`,
      (own) => {
        changeList(own, list, (transitions) => {
          const [younger, ...others] = [transitions[nth] ?? {}, ...transitions.toSpliced(nth, 1)];
          return others.toSpliced(nth - 1, 0, younger);
        });
      },
    ];
  if (transition.target !== undefined) yield [`${name} stays`, (own) => delete one(own).target];
  for (const other of otherTargets(transition.target, place, state, palette))
    yield [`${name} goes to ${other}`, (own) => set(own, { target: other })];
  if (transition.reenter) yield [`${name} does not begin anew`, (own) => delete one(own).reenter];
  const { guard } = transition;
  if (guard !== undefined) {
    yield [`${name} unguarded`, (own) => delete one(own).guard];
    yield [`${name} guarded by the contrary`, (own) => set(own, { guard: not(guard as never) })];
    const other = nextOf(palette.guards, guard);
    if (other !== undefined) yield [`${name} guarded by ${other}`, (own) => set(own, { guard: other })];
  }
  yield* actionChanges(name, listOf(transition.actions ?? []), palette, (own, actions) => set(own, { actions }));
}

function changeList(
  own: StateLiteral,
  list: Slot['list'],
  change: (transitions: readonly TransitionLiteral[]) => TransitionLiteral[],
): void {
  const transitions = list(own);
  transitions.splice(0, transitions.length, ...change([...transitions]));
}

/** Where an arrow may lead by mistake: to the siblings of its source, and to those of its target. A root has only inner ones. */
function otherTargets(
  target: string | undefined,
  { siblings, path }: Place,
  { states = {} }: StateLiteral,
  { literal }: Palette,
): string[] {
  const inner = target?.startsWith('.') === true || path.length === 0 ? Object.keys(states).map((name) => `.${name}`) : [];
  const [root = '', ...way] = target?.startsWith('#') === true ? target.split('.') : [];
  const parent = way.slice(0, -1);
  const far = root === '' ? [] : Object.keys(stateAt(literal, parent).states ?? {}).map((name) => [root, ...parent, name].join('.'));
  return [...siblings, ...inner, ...far].filter((other) => other !== target);
}

function* actionChanges(
  name: string,
  actions: readonly ActionLiteral[],
  { params, actions: known }: Palette,
  set: (own: StateLiteral, actions: Several<ActionLiteral>) => void,
): Generator<Change> {
  for (const [which, action] of actions.entries()) {
    const label = typeof action === 'string' ? action : action.type;
    yield [`${name} without ${label}`, (own) => set(own, actions.toSpliced(which, 1))];
    const others = typeof action === 'string' ? listOf(nextOf(known, action) ?? []) : params;
    for (const other of others)
      if (JSON.stringify(other) !== JSON.stringify(action))
        yield [
          `${name} with ${typeof other === 'string' ? other : JSON.stringify(other)} for ${label}`,
          (own) => set(own, actions.with(which, other)),
        ];
  }
  if (actions.length > 1) yield [`${name} with its actions the other way round`, (own) => set(own, actions.toReversed())];
}

/** The one after it, the first after the last. */
function nextOf(names: readonly string[], name: unknown): string | undefined {
  const other = names[(names.indexOf(String(name)) + 1) % names.length];
  return other === name ? undefined : other;
}
