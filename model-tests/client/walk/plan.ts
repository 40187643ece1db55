import { after, isActive, regionsOf, valueOf, walkStateKey, type WalkState } from './walk-state.ts';
import { stimuli } from './stimuli.ts';
import type { Stimulus } from './stimulus.ts';

/** One kind of stimulus on a path, and where it leads. */
export interface Step {
  readonly stimulus: Stimulus;
  readonly to: WalkState;
  /** That of `to`. */
  readonly key: string;
  /** From which value of all charts, by what, to which. */
  readonly move: string;
}
export type Path = readonly Step[];
/** What a simple path is simple in: the delivering part with its connection and recovery, the credentials, the gate, or what climbs. */
export type Region = 'delivering' | 'credentials' | 'gate' | 'climbing';

/** One of each class. */
const kinds = [...new Map([...stimuli].reverse().map((stimulus) => [stimulus.alike, stimulus])).values()];
/** By key: a moment behaves like every other with the same. */
const known = new Map<string, readonly Step[]>();

/** Where one region is; the whole value once the charts have ended. */
export function placeOf(state: WalkState, region: Region): string {
  const regions = regionsOf(state);
  const { context, value } = state.charts.transport;
  if (!regions) return JSON.stringify(value);
  const { values } = state.charts;
  if (region === 'gate') return String(state.isGateOpen);
  if (region === 'credentials') return regions.credentials;
  if (region === 'climbing') return JSON.stringify([regions.delivering, context.probe && [context.probe, values[context.probe]]]);
  const isConnected = ['connecting', 'steady', 'probing', 'proving'].includes(regions.delivering);
  return JSON.stringify(isConnected ? [context.transport, values[context.transport]] : [regions.delivering, values.recovery]);
}

/** From which value of all charts, by what, to which. */
export function moveName(from: WalkState, { alike }: Stimulus, to: WalkState): string {
  return `${valueOf(from)} · ${alike} · ${valueOf(to)}`;
}

/** All that can happen at a moment, once for each class of stimuli. */
export function stepsFrom(from: WalkState): readonly Step[] {
  const key = walkStateKey(from);
  const found = known.get(key);
  if (found) return found;
  const steps = (isActive(from) && !from.isOver ? kinds : []).flatMap((stimulus) => {
    const tells = stimulus.tells(from);
    if (!tells) return [];
    const to = after(from, tells.events, tells).state;
    return [{ stimulus, to, key: walkStateKey(to), move: moveName(from, stimulus, to) }];
  });
  known.set(key, steps);
  return steps;
}

/** A sequence of places of one region, and the ways along it that differ in what may follow. */
interface Front {
  readonly met: ReadonlySet<string>;
  readonly ways: ReadonlyMap<string, { readonly state: WalkState; readonly path: Path }>;
}

/**
 * Every longest sequence of places of a region that meets none twice, by a path that goes along it: each step is the next move. All contexts
 * that a sequence can have are followed, so that none is missed.
 */
export function simplePaths(region: Region, start: WalkState): Path[] {
  const goOn = ({ met, ways }: Front): Path[] => {
    const further = new Map<string, Map<string, { state: WalkState; path: Path }>>();
    for (const { state, path } of ways.values())
      for (const step of stepsFrom(state)) {
        const place = placeOf(step.to, region);
        if (met.has(place)) continue;
        const there = further.get(place) ?? new Map<string, { state: WalkState; path: Path }>();
        if (!there.has(step.key)) there.set(step.key, { state: step.to, path: [...path, step] });
        further.set(place, there);
      }
    if (further.size === 0) return [[...ways.values()][0]?.path ?? []];
    return [...further].flatMap(([place, next]) => goOn({ met: new Set([...met, place]), ways: next }));
  };
  return goOn({ met: new Set([placeOf(start, region)]), ways: new Map([[walkStateKey(start), { state: start, path: [] }]]) });
}

/** The moments that can be reached, by key, nearest first. */
export function walkStatesFrom(start: WalkState): Map<string, WalkState> {
  const found = new Map([[walkStateKey(start), start]]);
  for (const state of found.values()) for (const { key, to } of stepsFrom(state)) if (!found.has(key)) found.set(key, to);
  return found;
}

/** Every move from every value of all charts that can be reached. */
export function movesFrom(start: WalkState): Set<string> {
  return new Set([...walkStatesFrom(start).values()].flatMap((state) => stepsFrom(state).map(({ move }) => move)));
}

/** Paths that together make every move from every value, each going on to the nearest move that was not made yet. */
export function tours(start: WalkState, lengthMax: number): Path[] {
  const graph = new Map([...walkStatesFrom(start)].map(([key, state]) => [key, stepsFrom(state)] as const));
  const unmade = movesFrom(start);
  const first = walkStateKey(start);
  const found: Path[] = [];
  while (unmade.size > 0) {
    const path: Step[] = [];
    let here = first;
    while (path.length < lengthMax) {
      const further = nearestUnmade(graph, here, unmade);
      if (further.length === 0) break;
      for (const step of further) {
        unmade.delete(step.move);
        path.push(step);
        here = step.key;
      }
    }
    found.push(path);
  }
  return found;
}

/** A shortest path whose last step is a move that was not made yet; empty where there is none. Moves that end the chart come last. */
function nearestUnmade(graph: ReadonlyMap<string, readonly Step[]>, start: string, unmade: ReadonlySet<string>): Path {
  const cameBy = new Map<string, { readonly before: string; readonly step: Step } | undefined>([[start, undefined]]);
  const pathTo = (key: string): Step[] => {
    const way = cameBy.get(key);
    return way ? [...pathTo(way.before), way.step] : [];
  };
  let last: Path = [];
  for (const key of cameBy.keys())
    for (const step of graph.get(key) ?? []) {
      if (unmade.has(step.move)) {
        if (isActive(step.to) && !step.to.isOver) return [...pathTo(key), step];
        if (last.length === 0) last = [...pathTo(key), step];
      }
      if (!cameBy.has(step.key)) cameBy.set(step.key, { before: key, step });
    }
  return last;
}
