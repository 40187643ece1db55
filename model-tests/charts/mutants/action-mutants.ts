import { and, assign, enqueueActions, type AnyStateMachine } from 'xstate';
import { faultsOf, type Decisions, type JudgedCell } from '../decisions/decisions.ts';
import { machineOf, type Mutant } from './mutants.ts';

type Named = Readonly<Record<string, unknown>>;
type Values = Readonly<Record<string, unknown>>;
type Assigner = (args: { readonly context: Values }, params: unknown) => Values;
type Collector = (args: { readonly enqueue: object }, params: unknown) => void;

/** What XState makes of the actions and guards that a chart declares. */
interface Declared {
  readonly assignment?: Assigner | Readonly<Record<string, unknown>>;
  readonly collect?: Collector;
  readonly guards?: readonly unknown[];
}

/**
 * Every small fault of what a chart's names stand for: each thing that an action remembers, not remembered; each thing that it does, not done;
 * each part of a composed guard left out; each time another; another thing remembered at the beginning. What an action does is seen where the chart's own table is run.
 */
export function* implementationMutantsOf<Context>(decisions: Decisions<Context>, cells: readonly JudgedCell[]): Generator<Mutant> {
  const { machine } = decisions;
  const { actions, guards, delays } = machine.implementations as unknown as Readonly<Record<string, Named>>;
  const seen = seenOf(decisions, cells);
  const change = (kind: string, known: Named | undefined, name: string, made: unknown, fault: string): Mutant => ({
    name: `${name} ${fault}`,
    machine: () => machineOf(machine.config, { ...machine.implementations, [kind]: { ...known, [name]: made } }),
    path: [],
  });
  for (const [name, action] of Object.entries(actions ?? {})) {
    const { assignment, collect } = action as Declared;
    for (const key of seen.keys.get(name) ?? [])
      yield change('actions', actions, name, assign(without(assignment, key) as never), `forgets ${key}`);
    for (let nth = 0; collect && nth < (seen.calls.get(name) ?? 0); nth += 1)
      yield change('actions', actions, name, enqueueActions(leavingOut(collect, nth) as never), `leaves out its step ${nth + 1}`);
  }
  for (const [name, guard] of Object.entries(guards ?? {})) {
    const parts = (guard as Declared).guards ?? [];
    if (parts.length > 1)
      for (const nth of parts.keys())
        yield change('guards', guards, name, and(parts.toSpliced(nth, 1) as never), `without its part ${nth + 1}`);
  }
  yield* beginningMutants(decisions);
  for (const name of Object.keys(delays ?? {})) yield change('delays', delays, name, 1, 'is another time');
}

/** It remembers something else when it begins. */
function* beginningMutants<Context>({ machine, cells }: Decisions<Context>): Generator<Mutant> {
  const { context } = machine.config as { readonly context?: Values | ((args: object) => Values) };
  const begin = typeof context === 'function' ? context : () => context ?? {};
  for (const key of Object.keys(cells[0]?.before ?? {}))
    yield {
      name: `begins with another ${key}`,
      machine: () =>
        machineOf({ ...machine.config, context: (args: object) => ({ ...begin(args), [key]: 'another' }) }, machine.implementations),
      path: [],
    };
}

/** What each action remembers, and how many steps it has, wherever a table's cells lead. */
function seenOf<Context>(decisions: Decisions<Context>, cells: readonly JudgedCell[]) {
  const keys = new Map<string, Set<string>>();
  const calls = new Map<string, number>();
  const { machine } = decisions;
  const watched = Object.entries(machine.implementations.actions as unknown as Named).map(([name, action]) => {
    const { assignment, collect } = action as Declared;
    if (assignment) return [name, assign(watching(assignment, (key) => keys.set(name, new Set(keys.get(name)).add(key))) as never)];
    if (!collect) return [name, action];
    const count: Collector = (args, params) => {
      let nth = 0;
      collect({ ...args, enqueue: counting(args.enqueue, () => (nth += 1) > 0) }, params);
      calls.set(name, Math.max(nth, calls.get(name) ?? 0));
    };
    return [name, enqueueActions(count as never)];
  });
  const observed = machine.provide({ actions: Object.fromEntries(watched) as never }) as AnyStateMachine;
  // Run to its end: what it finds is of no interest.
  for (const fault of faultsOf(decisions, observed, cells)) void fault;
  return { keys, calls };
}

const resultOf = (assignment: NonNullable<Declared['assignment']>, args: { readonly context: Values }, params: unknown): Values =>
  typeof assignment === 'function'
    ? assignment(args, params)
    : Object.fromEntries(
        Object.entries(assignment).map(([key, value]) => [key, typeof value === 'function' ? (value as Assigner)(args, params) : value]),
      );

function watching(assignment: NonNullable<Declared['assignment']>, onKey: (key: string) => void): Assigner {
  return (args, params) => {
    const after = resultOf(assignment, args, params);
    for (const [key, value] of Object.entries(after)) if (!Object.is(value, args.context[key])) onKey(key);
    return after;
  };
}

function without(assignment: Declared['assignment'], key: string): Assigner {
  return (args, params) => ({ ...resultOf(assignment ?? {}, args, params), [key]: args.context[key] });
}

function leavingOut(collect: Collector, left: number): Collector {
  return (args, params) => {
    let nth = 0;
    collect({ ...args, enqueue: counting(args.enqueue, () => nth++ !== left) }, params);
  };
}

/** The same, asked before each of its calls whether that is made. */
function counting(enqueue: object, isMade: () => boolean): object {
  const guarded =
    (call: (...args: readonly unknown[]) => unknown) =>
    (...args: readonly unknown[]) =>
      isMade() ? call(...args) : undefined;
  return new Proxy(enqueue, {
    apply: (target, self, args: unknown[]) => guarded(target as never).apply(self as never, args as never),
    get: (target, key) => guarded((target as Record<string | symbol, (...args: readonly unknown[]) => unknown>)[key] as never),
  });
}
