import type { AnyStateMachine } from 'xstate';

/** A chart as XState takes it: data only. */
export interface ChartLiteral {
  readonly [key: string]: unknown;
}

/**
 * The literal of a chart as data that XState's `createMachine` and Stately's import take as it stands. A context that is computed is the one
 * that the chart begins with when nobody gives it an input. Data has no place for an input or an output that is computed: the names of their
 * functions stand in the state's `meta`, under `computed`.
 */
export function chartLiteral(machine: AnyStateMachine): ChartLiteral {
  // `setup` adds a `schemas` key to the literal; it holds types only.
  const { schemas: _, context, ...literal } = machine.config as Record<string, unknown>;
  const begun: unknown = typeof context === 'function' ? (context as (given: object) => unknown)({}) : context;
  const { id, description, ...rest } = withoutFunctions(literal) as Record<string, unknown>;
  return { id, description, ...(begun !== undefined && { context: begun }), ...rest };
}

/** A chart's literal as text: two spaces, one line break at its end. */
export function chartJson(literal: ChartLiteral): string {
  return `${JSON.stringify(literal, null, 2)}\n`;
}

function withoutFunctions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFunctions);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const computed = entries.flatMap(([key, of]) => [...namesOf(key, of)]);
  const kept = entries.flatMap(([key, of]) => (typeof of === 'function' ? [] : [[key, withoutFunctions(of)] as const]));
  if (computed.length === 0 || !isState(value)) return Object.fromEntries(kept);
  const { meta, ...rest } = Object.fromEntries(kept) as { meta?: object };
  return { ...rest, meta: { ...meta, computed: Object.fromEntries(computed) } };
}

/** The functions right at a state, and those of the actor that it invokes. */
function* namesOf(key: string, value: unknown): Generator<readonly [string, string]> {
  if (typeof value === 'function') yield [key, value.name];
  if (key === 'invoke')
    for (const one of [value].flat()) for (const [inner, of] of Object.entries(one as object)) yield* namesOf(inner, of);
}

function isState(value: object): boolean {
  return !('src' in value);
}
