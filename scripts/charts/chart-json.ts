import type { AnyStateMachine } from 'xstate';

/** A chart, or a state of it, as data. */
export interface ChartLiteral {
  readonly [key: string]: unknown;
}

/**
 * The literal of a chart as data that XState's `createMachine` and Stately's import take as it stands. Names of actions and guards are in their
 * long form, `{ "type": name }`, which is the only one that the next XState loads. A context that is computed is the one that the chart begins with
 * when nobody gives it an input. Data has no place for an input or an output that is computed: the names of their functions stand in the state's
 * `meta`, under `computed`.
 */
export function chartLiteral(machine: AnyStateMachine): ChartLiteral {
  // `setup` adds a `schemas` key to the literal; it holds types only.
  const { schemas: _, context, ...literal } = machine.config as Record<string, unknown>;
  const begun: unknown = typeof context === 'function' ? (context as (given: object) => unknown)({}) : context;
  const { id, description, ...rest } = inLongForm(literal);
  return { id, description, ...(begun !== undefined && { context: begun }), ...rest };
}

/** A chart's literal as text: two spaces, one line break at its end. */
export function chartJson(literal: ChartLiteral): string {
  return `${JSON.stringify(literal, null, 2)}\n`;
}

const readers: Readonly<Record<string, (value: unknown) => unknown>> = {
  entry: actions,
  exit: actions,
  on: (value) => mapped(value, transitions),
  after: (value) => mapped(value, transitions),
  always: transitions,
  onDone: transitions,
  onError: transitions,
  invoke: (value) => each(value, inLongForm),
  initial: (value) => (typeof value === 'string' ? value : transitions(value)),
  states: (value) => mapped(value, (state) => inLongForm(state as ChartLiteral)),
};

/** A state as data, or an actor that it invokes. */
export function inLongForm(state: ChartLiteral): ChartLiteral {
  const kept = Object.entries(state).filter(([, value]) => typeof value !== 'function');
  const { meta, ...data } = Object.fromEntries(kept.map(([key, value]) => [key, readers[key]?.(value) ?? value])) as { meta?: object };
  const computed = 'src' in state ? [] : computedNames(state);
  const { length } = computed;
  return { ...data, ...((meta ?? length > 0) && { meta: { ...meta, ...(length > 0 && { computed: Object.fromEntries(computed) }) } }) };
}

/** The functions right at a state, and those of the actors that it invokes. */
function computedNames(state: ChartLiteral): [string, string][] {
  const actors = state['invoke'] === undefined ? [] : ([state['invoke']].flat() as ChartLiteral[]);
  const named = [state, ...actors].flatMap((one) => Object.entries(one));
  return named.flatMap(([key, value]) => (typeof value === 'function' ? [[key, value.name]] : []));
}

function transitions(value: unknown): unknown {
  return each(value, ({ guard, actions: done, ...rest }) => ({
    ...rest,
    ...(guard !== undefined && { guard: longForm(guard) }),
    ...(done !== undefined && { actions: actions(done) }),
  }));
}

function actions(value: unknown): unknown[] {
  return [value].flat().map(longForm);
}

function longForm(name: unknown): unknown {
  return typeof name === 'string' ? { type: name } : name;
}

function each(value: unknown, read: (one: ChartLiteral) => unknown): unknown {
  return Array.isArray(value) ? value.map((one) => read(one as ChartLiteral)) : read(value as ChartLiteral);
}

function mapped(value: unknown, read: (one: unknown) => unknown): ChartLiteral {
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, read(one)]));
}
