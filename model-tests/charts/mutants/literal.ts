/** The parts of a chart's literal that are changed. */
export interface StateLiteral {
  initial?: string;
  type?: string;
  tags?: string[];
  meta?: { owes?: string[] };
  on?: Record<string, Several<TransitionLiteral>>;
  after?: Record<string, Several<TransitionLiteral>>;
  always?: Several<TransitionLiteral>;
  entry?: Several<ActionLiteral>;
  exit?: Several<ActionLiteral>;
  invoke?: InvokeLiteral;
  states?: Record<string, StateLiteral>;
  output?: unknown;
}

/** The actor that a state runs. */
export interface InvokeLiteral {
  readonly src: string;
  readonly id: string;
  input?: unknown;
  onDone?: Several<TransitionLiteral>;
  onError?: Several<TransitionLiteral>;
}

/** One arrow. */
export interface TransitionLiteral {
  target?: string;
  guard?: unknown;
  actions?: Several<ActionLiteral>;
  reenter?: boolean;
}

/** An action, by its name or with its parameters. */
export type ActionLiteral = string | { readonly type: string; readonly params?: Readonly<Record<string, unknown>> };
/** One, or a list of them. */
export type Several<T> = T | T[];

/** Where a state stands in the literal, and its names from the root. */
export interface Place {
  readonly path: readonly string[];
  readonly siblings: readonly string[];
}

/** All transitions of a state for one thing that may happen. */
export interface Slot {
  /** What happens. */
  readonly label: string;
  /** The transitions in a copy of the state, to be changed there. */
  list(own: StateLiteral): TransitionLiteral[];
  drop(own: StateLiteral): void;
}

/** Every state, the root first. */
export function placesIn(state: StateLiteral, path: readonly string[] = [], siblings: readonly string[] = []): Place[] {
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

/** The state of these names, from the root. */
export function stateAt(literal: StateLiteral, path: readonly string[]): StateLiteral {
  return path.reduce<StateLiteral>((state, name) => state.states?.[name] ?? {}, literal);
}

/** Everything that may happen in a state. */
export function slotsOf(state: StateLiteral): Slot[] {
  return [
    ...Object.keys(state.on ?? {}).map((event) => slot(event, ({ on = {} }) => [on, event])),
    ...Object.keys(state.after ?? {}).map((time) => slot(`after ${time}`, ({ after = {} }) => [after, time])),
    ...(state.always ? [slot('always', (own) => [own as Record<string, Several<TransitionLiteral>>, 'always'])] : []),
    ...(['onDone', 'onError'] as const).flatMap((end) =>
      state.invoke?.[end]
        ? [slot(`${state.invoke.id} ${end}`, ({ invoke }) => [invoke as unknown as Record<string, Several<TransitionLiteral>>, end])]
        : [],
    ),
  ];
}

type Holder = readonly [Record<string, Several<TransitionLiteral>>, string];

function slot(label: string, holderOf: (own: StateLiteral) => Holder): Slot {
  return {
    label,
    list: (own) => {
      const [holder, key] = holderOf(own);
      const list = listOf(holder[key] ?? []);
      holder[key] = list;
      return list;
    },
    drop: (own) => {
      const [holder, key] = holderOf(own);
      delete holder[key];
    },
  };
}

/** Every action that the literal names, of all states. */
export function actionsIn(state: StateLiteral): ActionLiteral[] {
  const taken = slotsOf(state).flatMap(({ list }) => list(state).flatMap(({ actions = [] }) => listOf(actions)));
  return [...taken, ...listOf(state.entry ?? []), ...listOf(state.exit ?? []), ...Object.values(state.states ?? {}).flatMap(actionsIn)];
}

/** A copy whose functions are the same. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return (value as readonly unknown[]).map(copyOf) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner as unknown)])) as T;
}

/** Always a list, and one of its own. */
export function listOf<T>(given: Several<T>): T[] {
  return Array.isArray(given) ? [...given] : [given];
}
