import { after, isActive, regionsOf, valueOf, walkStateKey, type WalkState } from './walk-state.ts';
import { stimuli } from './stimuli.ts';
import type { Stimulus } from './stimulus.ts';

/** One kind of stimulus on a path, and where it leads. */
export interface Step {
  readonly stimulus: Stimulus;
  readonly to: WalkState;
  /** From which value of all charts, by what, to which. */
  readonly move: string;
  /** What the charts are told, each in its value. */
  readonly heard: readonly string[];
}
export type Path = readonly Step[];
/** What a simple path is simple in: the delivering part with its connection and recovery, the credentials, the gate, or what climbs. */
export type Region = 'delivering' | 'credentials' | 'gate' | 'climbing';

/** One of each class. */
const kinds = [...new Map([...stimuli].reverse().map((stimulus) => [stimulus.alike, stimulus])).values()];
/** By key: a moment behaves like every other with the same, so only one of them is kept. */
const moments = new Map<string, WalkState>();
const known = new Map<WalkState, readonly Step[]>();
const texts = new Map<string, string>();

/** Each text once: what is the same is told so at once. */
function textOf(text: string): string {
  const kept = texts.get(text) ?? text;
  texts.set(kept, kept);
  return kept;
}

function momentOf(state: WalkState): WalkState {
  const key = walkStateKey(state);
  const kept = moments.get(key) ?? state;
  moments.set(key, kept);
  return kept;
}

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
  return textOf(`${valueOf(from)} · ${alike} · ${valueOf(to)}`);
}

/** All that can happen at a moment, once for each class of stimuli. */
export function stepsFrom(state: WalkState): readonly Step[] {
  const from = known.has(state) ? state : momentOf(state);
  const found = known.get(from);
  if (found) return found;
  const steps = (isActive(from) && !from.isOver ? kinds : []).flatMap((stimulus) => {
    const tells = stimulus.tells(from);
    if (!tells) return [];
    const { state: next, heard } = after(from, tells.events, tells);
    const to = momentOf(next);
    return [{ stimulus, to, move: moveName(from, stimulus, to), heard: heard.map(textOf) }];
  });
  known.set(from, steps);
  return steps;
}

/** A sequence of places of one region, and the ways along it that differ in what may follow. */
interface Front {
  readonly met: ReadonlySet<string>;
  readonly ways: ReadonlyMap<WalkState, Path>;
}

/**
 * Every longest sequence of places of a region that meets none twice, by a path that goes along it: each step is the next move. All contexts
 * that a sequence can have are followed, so that none is missed.
 */
export function simplePaths(region: Region, start: WalkState): Path[] {
  const goOn = ({ met, ways }: Front): Path[] => {
    const further = new Map<string, Map<WalkState, Path>>();
    for (const [state, path] of ways)
      for (const step of stepsFrom(state)) {
        const place = placeOf(step.to, region);
        if (met.has(place)) continue;
        const there = further.get(place) ?? new Map<WalkState, Path>();
        if (!there.has(step.to)) there.set(step.to, [...path, step]);
        further.set(place, there);
      }
    if (further.size === 0) return [[...ways.values()][0] ?? []];
    return [...further].flatMap(([place, next]) => goOn({ met: new Set([...met, place]), ways: next }));
  };
  return goOn({ met: new Set([placeOf(start, region)]), ways: new Map([[momentOf(start), []]]) });
}

/** The moments that can be reached, nearest first, each with a shortest path. */
export function shortestPaths(start: WalkState): ReadonlyMap<WalkState, Path> {
  const found = new Map<WalkState, Path>([[momentOf(start), []]]);
  for (const [state, path] of found) for (const step of stepsFrom(state)) if (!found.has(step.to)) found.set(step.to, [...path, step]);
  return found;
}

/** Every move from every value of all charts that can be reached. */
export function movesFrom(start: WalkState): Set<string> {
  return new Set([...shortestPaths(start).keys()].flatMap((state) => stepsFrom(state).map(({ move }) => move)));
}

/** Shortest paths that together hear what is not among these. */
export function pathsToUnheard(start: WalkState, heard: ReadonlySet<string>): Path[] {
  const told = new Set(heard);
  const found: Path[] = [];
  for (const [state, path] of shortestPaths(start))
    for (const step of stepsFrom(state)) {
      if (step.heard.every((name) => told.has(name))) continue;
      for (const name of step.heard) told.add(name);
      found.push([...path, step]);
    }
  return found;
}

/** How far a tour looks for a move that was not made yet. */
const REACH = 6;

/** Paths that together make these moves, each going on while there is one near that was not made yet. */
export function tours(start: WalkState, wanted: Iterable<string>, lengthMax: number): Path[] {
  const unmade = new Set(wanted);
  const found: Path[] = [];
  for (const [state, way] of shortestPaths(start)) {
    let further = stepsToUnmade(state, unmade, 1);
    while (further.length > 0) {
      const path = [...way];
      while (further.length > 0 && (path.length === way.length || path.length + further.length <= lengthMax)) {
        for (const { move } of further) unmade.delete(move);
        path.push(...further);
        further = stepsToUnmade(path.at(-1)?.to ?? state, unmade, REACH);
      }
      for (const { move } of way) unmade.delete(move);
      found.push(path);
      further = stepsToUnmade(state, unmade, 1);
    }
  }
  if (unmade.size > 0) throw new Error(`Nothing leads to ${unmade.size} moves, such as ${[...unmade][0] ?? ''}.`);
  return found;
}

/** The fewest steps, at most so many, whose last is a move that was not made yet; none where there is none. Moves that end the chart come last. */
function stepsToUnmade(start: WalkState, unmade: ReadonlySet<string>, stepsMax: number): Path {
  const met = new Set([start]);
  let last: Path = [];
  let ways: [WalkState, Path][] = [[start, []]];
  for (let length = 0; length < stepsMax; length++) {
    const next: [WalkState, Path][] = [];
    for (const [state, path] of ways)
      for (const step of stepsFrom(state)) {
        if (unmade.has(step.move)) {
          if (isActive(step.to) && !step.to.isOver) return [...path, step];
          if (last.length === 0) last = [...path, step];
        }
        if (!met.has(step.to) && met.add(step.to)) next.push([step.to, [...path, step]]);
      }
    ways = next;
  }
  return last;
}
