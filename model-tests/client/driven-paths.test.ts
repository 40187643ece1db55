import { describe, expect, test } from 'vitest';
import { noteRow, rowOf } from '../charts/coverage-row.ts';
import { endings } from './transport-charts.ts';
import { driveAll, newCoverage, type Driven } from './walk/drive.ts';
import { initialStateOf, isActive, valueOf, type Beginning, type WalkState } from './walk/walk-state.ts';
import { shortestPaths, movesFrom, pathsToUnheard, placeOf, simplePaths, stepsFrom, tours, type Path } from './walk/plan.ts';
import { stimuli } from './walk/stimuli.ts';
import { unreachableEvents } from './walk/unreachable-events.ts';
import { patience } from '../support/patience.ts';

/** Two transports each, one try for each of them. */
const pairs: readonly Beginning[] = [
  { tries: { ws: 1, sse: 1, poll: 0 }, isSettled: true },
  { tries: { ws: 1, sse: 0, poll: 1 }, isSettled: true },
  { tries: { ws: 0, sse: 1, poll: 1 }, isSettled: true },
];
/**
 * Two tries on the only transport; the first pair where nobody has spoken before and credentials end; all three; each pair with a checkpoint. Each
 * makes what those before it did not.
 */
const beginnings: readonly Beginning[] = [
  { tries: { ws: 2, sse: 0, poll: 0 } },
  { tries: { ws: 1, sse: 1, poll: 0 } },
  ...pairs.slice(1),
  { tries: { ws: 1, sse: 1, poll: 1 }, isSettled: true },
  ...pairs.map((pair) => ({ ...pair, isStored: true })),
];
const driven: Driven = { stimuli: new Map(), moves: new Set(), heard: new Set(), coverage: newCoverage() };
/** Clients at once. */
const LANES = 4;

/** How many paths and steps there were, for the table. */
const gone = { 'simple paths': 0, tours: 0, steps: 0 };

function go(kind: 'simple paths' | 'tours', paths: readonly Path[], beginning: Beginning): Promise<string[]> {
  gone[kind] += paths.length;
  gone.steps += paths.flat().length;
  return driveAll(paths, beginning, { ...driven, mixes: kind === 'simple paths' }, LANES);
}

/** What each chart may be told from outside all of them. */
const outside = {
  transport: ['log.ended', 'log.gap', 'consumer.full', 'consumer.drained', 'network.changed'],
  connection: [
    ...['asked', 'confirmed', 'level', 'alive', 'facts', 'malformed', 'page', 'empty'].map((what) => `wire.${what}`),
    ...['credentials.renewed', 'gate.opened', 'gate.closed'],
    'wire.ended',
  ],
  recovery: ['xstate.done.actor.settle', 'xstate.error.actor.settle', 'xstate.done.actor.refresh'],
} as const;

/** What some chart takes at a moment, as `value · chart event`. */
function takenIn(state: WalkState): string[] {
  if (!isActive(state)) return [];
  return [...state.charts.snapshots].flatMap(([id, snapshot]) =>
    outside[snapshot.machine.id as keyof typeof outside]
      // The snapshot of just any machine takes just any event.
      .filter((type) => snapshot.can({ type, ending: endings[0], output: {} } as never))
      .filter((type) => type !== 'credentials.renewed' || state.isExpiring)
      .map((type) => `${valueOf(state)} · ${id} ${type}`),
  );
}

/** A shortest path to each place of the delivering connection. */
function pathsToPlaces(start: WalkState): Path[] {
  const found = new Map<string, Path>();
  for (const [state, path] of shortestPaths(start)) {
    const place = placeOf(state, 'delivering');
    if (!found.has(place) && isActive(state)) found.set(place, path);
  }
  return [...found.values()];
}

/** A shortest path whose last step takes the credentials from one place to another. */
function pathAcross(start: WalkState, from: string, to: string): Path {
  for (const [state, path] of shortestPaths(start))
    for (const step of stepsFrom(state))
      if (placeOf(state, 'credentials') === from && placeOf(step.to, 'credentials') === to) return [...path, step];
  throw new Error(`No step leads from ${from} to ${to}.`);
}

describe('a real client against a real server, driven along its charts', () => {
  test.each(pairs)(
    'goes along every simple path of the delivering connection, with %j',
    async (beginning) => {
      const paths = simplePaths('delivering', initialStateOf(beginning));
      expect(await go('simple paths', paths, beginning)).toEqual([]);
      expect(paths.length).toBeGreaterThan(200);
    },
    patience(300_000),
  );

  test(
    'goes along every simple path of the gate, of climbing and of credentials, from every place of the delivering connection',
    async () => {
      const [, beginning = { tries: { ws: 1, sse: 0, poll: 1 } }] = pairs;
      const start = initialStateOf(beginning);
      for (const region of ['gate', 'climbing', 'credentials'] as const) {
        const paths = pathsToPlaces(start).flatMap((path) =>
          simplePaths(region, path.at(-1)?.to ?? start).map((further) => [...path, ...further]),
        );
        expect(await go('simple paths', paths, beginning)).toEqual([]);
      }
      // Those that were taken and have ended: no path that is simple comes back to fresh ones.
      expect(await go('simple paths', [pathAcross(start, 'accepted', 'fresh')], beginning)).toEqual([]);
    },
    patience(300_000),
  );

  test.each(beginnings)(
    'makes every move from every value of all charts, with %j',
    async (beginning) => {
      const from = initialStateOf(beginning);
      const moves = [...movesFrom(from)];
      const unmade = moves.filter((move) => !driven.moves.has(move));
      expect(await go('tours', tours(from, unmade, 40), beginning)).toEqual([]);
      expect(moves.filter((move) => !driven.moves.has(move))).toEqual([]);
    },
    patience(300_000),
  );

  test(
    'hears also what no move happened to bring',
    async () => {
      for (const beginning of beginnings)
        expect(await go('tours', pathsToUnheard(initialStateOf(beginning), driven.heard), beginning)).toEqual([]);
    },
    patience(300_000),
  );

  test('has then visited every state and edge, met every stimulus, and heard every event wherever a chart takes it and the world allows', (context) => {
    const counts = Object.entries(gone).map(([what, count]) => `${count} ${what}`);
    for (const coverage of driven.coverage.values())
      noteRow(context, rowOf(coverage, 'real client', `${counts.join(', ')}; ${driven.moves.size} moves`));
    const missing = [...driven.coverage].flatMap(([id, coverage]) => coverage.missing().map((name) => `${id}: ${name}`));
    expect(missing).toEqual([]);
    expect(stimuli.map(({ name }) => name).filter((name) => !driven.stimuli.has(name))).toEqual([]);
    const met = beginnings.flatMap((beginning) => [...shortestPaths(initialStateOf(beginning)).keys()]);
    const taken = new Set(met.flatMap((state) => takenIn(state)));
    const silent = [...taken].filter((name) => !driven.heard.has(name));
    const reasonsFor = (name: string): number => {
      const [value = '', type = ''] = name.split(' · ');
      return unreachableEvents.filter((rule) => rule.events.test(type) && rule.values.test(value)).length;
    };
    expect(silent.filter((name) => reasonsFor(name) === 0)).toEqual([]);
    expect([...driven.heard].filter((name) => taken.has(name) && reasonsFor(name) > 0)).toEqual([]);
  });
});
