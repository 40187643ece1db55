import { getAdjacencyMap, getShortestPaths } from '@xstate/graph';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialTransition, type AnyMachineSnapshot, type EventObject } from 'xstate';
import { take, textOf, valueOf, type BoundedChart } from './chart.ts';
import { Coverage } from './coverage.ts';
import { noteRow, rowOf } from './coverage-row.ts';
import { eventTypesOf } from './drawn.ts';
import { takeLawfully } from './law.ts';
import { describeStepTable } from './step-table-suite.ts';

interface Path {
  readonly steps: readonly { readonly event: EventObject }[];
}

interface Adjacent {
  readonly state: AnyMachineSnapshot;
  readonly transitions: Readonly<Record<string, { readonly event: EventObject; readonly state: AnyMachineSnapshot }>>;
}

/** Every path, every event in every state, and random walks, over one chart. */
export function describeChart(chart: BoundedChart): void {
  describe(`the ${chart.name} chart`, () => {
    test('has an event in the alphabet for each of its arrows', () => {
      const types = new Set(chart.alphabet.map(({ type }) => type));
      expect([...eventTypesOf(chart.machine)].filter((type) => !types.has(type))).toEqual([]);
    });

    test('keeps its law along every simple path between its states, and goes every way between two states on one', () => {
      const moves = new Set<string>();
      for (const path of simplePaths(chart)) {
        const seen = walk(chart, path, newCoverage(chart));
        path.steps.forEach(({ event }, index) => moves.add(moveName(seen[index], event, seen[index + 1])));
      }
      expect(movesOf(chart).filter((move) => !moves.has(move))).toEqual([]);
    });

    test('takes or refuses every event in every reachable state, and leaves no state, edge or refusal unvisited', (context) => {
      const { coverage, paths } = everyEventEverywhere(chart);
      const walked = `${simplePaths(chart).length} simple paths; ${chart.alphabet.length} events in each of ${paths} states with their contexts`;
      noteRow(context, rowOf(coverage, 'pure chart', walked));
      expect(coverage.missing()).toEqual([]);
    });

    test('keeps its law on random walks', () => {
      const events = fc.array(fc.constantFrom(...chart.alphabet), { maxLength: 60 });
      const property = fc.property(events, (steps) => {
        walk(chart, { steps: steps.map((event) => ({ event })) }, newCoverage(chart));
      });
      fc.assert(property, { seed: 20_260_101, numRuns: 200 });
    });

    describeStepTable(chart, () => [...reachable(chart, newCoverage(chart)), ...chart.presets]);
  });
}

/** Steps of a path after one of a chart's beginnings, at most: all of its paths are gone from the start. */
const BEYOND_MAX = 5;

/**
 * The longest paths that meet no state twice, and those that end by going back to one, with one payload for each event type and target.
 * Walked with real contexts: the graph package's
 * own simple paths merge the contexts of a state, and then hold paths that nothing can go along. Each begins at the start, or after one of the
 * chart's beginnings.
 */
function simplePaths(chart: BoundedChart): Path[] {
  const onFrom = (snapshot: AnyMachineSnapshot, met: readonly string[], steps: Path['steps'], most: number): Path[] => {
    const here = [...met, valueOf(snapshot)];
    if (steps.length >= most) return [{ steps }];
    const targets = new Map<string, () => Path[]>();
    for (const event of chart.alphabet) {
      const { next } = take(chart.machine, snapshot, event);
      const move = moveName(snapshot, event, next);
      if (valueOf(next) === valueOf(snapshot) || targets.has(move)) continue;
      const further = [...steps, { event }];
      targets.set(move, here.includes(valueOf(next)) ? () => [{ steps: further }] : () => onFrom(next, here, further, most));
    }
    return targets.size === 0 ? [{ steps }] : [...targets.values()].flatMap((goOn) => goOn());
  };
  const beginnings = (chart.beginnings ?? []).map((events) => events.map((event) => ({ event })));
  const from = (steps: Path['steps'], most: number): Path[] =>
    onFrom(walk(chart, { steps }, newCoverage(chart)).at(-1) ?? start(chart), [], steps, most);
  return [...from([], Infinity), ...beginnings.flatMap((steps) => from(steps, steps.length + BEYOND_MAX))];
}

/** Every move from one state to another that the bounded model knows, whatever the contexts. */
function movesOf(chart: BoundedChart): string[] {
  const adjacency = getAdjacencyMap(chart.machine as never, traversal(chart)) as Readonly<Record<string, Adjacent>>;
  const moves = Object.values(adjacency).flatMap(({ state, transitions }) =>
    Object.values(transitions).flatMap(({ event, state: next }) =>
      valueOf(state) === valueOf(next) ? [] : [moveName(state, event, next)],
    ),
  );
  return [...new Set(moves)];
}

function moveName(from: AnyMachineSnapshot | undefined, { type }: EventObject, to: AnyMachineSnapshot | undefined): string {
  return `${from && valueOf(from)} ${type} ${to && valueOf(to)}`;
}

function traversal({ alphabet, isBeyond }: BoundedChart) {
  // The graph package types its options by the machine's events; ours are those by construction of the alphabet.
  return { events: alphabet, serializeState: textOf, stopWhen: (snapshot: AnyMachineSnapshot) => isBeyond(snapshot.context) } as never;
}

/** From each state of the bounded model, reached by its shortest path, every event; and from each preset too. */
function everyEventEverywhere(chart: BoundedChart): { coverage: Coverage; paths: number } {
  const { alphabet, presets } = chart;
  const coverage = newCoverage(chart);
  const ends = reachable(chart, coverage);
  for (const from of [...ends, ...presets]) for (const event of alphabet) coverage.note(takeLawfully(chart, from, event));
  return { coverage, paths: ends.length };
}

/** The states of the bounded model, each by its shortest path. */
function reachable(chart: BoundedChart, coverage: Coverage): AnyMachineSnapshot[] {
  const shortest = getShortestPaths(chart.machine, traversal(chart)) as readonly Path[];
  return shortest.map((path) => walk(chart, path, coverage).at(-1) ?? start(chart));
}

/** Goes along a path and gives every snapshot on it, the first included. */
function walk(chart: BoundedChart, { steps }: Path, coverage: Coverage): AnyMachineSnapshot[] {
  const seen = [start(chart)];
  for (const { event } of steps) {
    if (event.type === 'xstate.init') continue;
    const step = takeLawfully(chart, seen.at(-1) ?? start(chart), event);
    coverage.note(step);
    seen.push(step.next);
  }
  return seen;
}

function start({ machine }: BoundedChart): AnyMachineSnapshot {
  return initialTransition(machine)[0];
}

function newCoverage(chart: BoundedChart): Coverage {
  const coverage = new Coverage(chart.machine);
  coverage.reach(start(chart));
  return coverage;
}
