import { describe, expect, test } from 'vitest';
import { noteRow, rowOf } from '../charts/coverage-row.ts';
import { endings } from './transport-charts.ts';
import { driveAll, inputOf, newCoverage, type Driven } from './walk/drive.ts';
import { initialStateOf, isActive, valueOf, type WalkState } from './walk/walk-state.ts';
import { walkStatesFrom, movesFrom, placeOf, simplePaths, stepsFrom, tours, type Path } from './walk/plan.ts';
import { stimuli } from './walk/stimuli.ts';
import { unreachableEvents } from './walk/unreachable-events.ts';
import { patience } from '../support/patience.ts';

/** One try each; two tries on the only rung; no last rung. */
const budgets = [
  { ws: 1, sse: 1, poll: 1 },
  { ws: 2, sse: 0, poll: 0 },
  { ws: 1, sse: 1, poll: 0 },
] as const;
const [oneEach] = budgets;
const start = initialStateOf(inputOf(oneEach));
const driven: Driven = { stimuli: new Map(), moves: new Set(), heard: new Set(), coverage: newCoverage() };
/** Clients at once. */
const LANES = 4;

/** How many paths and steps there were, for the table. */
const gone = { 'simple paths': 0, tours: 0, steps: 0 };

function go(kind: 'simple paths' | 'tours', paths: readonly Path[], tries: (typeof budgets)[number]): Promise<string[]> {
  gone[kind] += paths.length;
  gone.steps += paths.flat().length;
  return driveAll(paths, tries, { ...driven, mixes: kind === 'simple paths' }, LANES);
}

/** What each chart may be told from outside all of them. */
const outside = {
  transport: ['log.ended', 'log.gap', 'consumer.full', 'consumer.drained', 'network.changed'],
  connection: [
    ...['asked', 'confirmed', 'level', 'alive', 'facts', 'malformed', 'page', 'empty'].map((what) => `wire.${what}`),
    ...['credentials.renewed', 'gate.opened', 'gate.closed'],
    'wire.ended',
  ],
  recovery: ['settle', 'refresh'].flatMap((id) => [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`]),
} as const;

/** What some chart takes at a moment, as `value · chart event`. */
function takenIn(state: WalkState): string[] {
  if (!isActive(state)) return [];
  return [...state.charts.snapshots].flatMap(([id, snapshot]) =>
    outside[snapshot.machine.id as keyof typeof outside]
      // The snapshot of just any machine takes just any event.
      .filter((type) => snapshot.can({ type, ending: endings[0], output: {} } as never))
      .map((type) => `${valueOf(state)} · ${id} ${type}`),
  );
}

/** A shortest path to each place of the delivering connection. */
function pathsToPlaces(): Path[] {
  const found = new Map<string, Path>();
  const ways = [{ state: start, path: [] as Path }];
  const met = new Set<string>();
  for (const { state, path } of ways) {
    const place = placeOf(state, 'delivering');
    if (!found.has(place) && isActive(state)) found.set(place, path);
    for (const step of stepsFrom(state))
      if (!met.has(step.key)) {
        met.add(step.key);
        ways.push({ state: step.to, path: [...path, step] });
      }
  }
  return [...found.values()];
}

describe('a real client against a real server, driven along its charts', () => {
  test(
    'goes along every simple path of the delivering connection',
    async () => {
      const paths = simplePaths('delivering', start);
      expect(await go('simple paths', paths, oneEach)).toEqual([]);
      expect(paths.length).toBeGreaterThan(200);
    },
    patience(300_000),
  );

  test(
    'goes along every simple path of the gate, of climbing and of credentials, from every place of the delivering connection',
    async () => {
      for (const region of ['gate', 'climbing', 'credentials'] as const) {
        const paths = pathsToPlaces().flatMap((path) =>
          simplePaths(region, path.at(-1)?.to ?? start).map((further) => [...path, ...further]),
        );
        expect(await go('simple paths', paths, oneEach)).toEqual([]);
      }
    },
    patience(300_000),
  );

  test.each(budgets)(
    'makes every move from every value of all charts, with tries %j',
    async (tries) => {
      const from = initialStateOf(inputOf(tries));
      const moves = movesFrom(from);
      expect(await go('tours', tours(from, 40), tries)).toEqual([]);
      expect([...moves].filter((move) => !driven.moves.has(move))).toEqual([]);
    },
    patience(300_000),
  );

  test('has then visited every state and edge, met every stimulus, and heard every event wherever a chart takes it and the world allows', (context) => {
    const counts = Object.entries(gone).map(([what, count]) => `${count} ${what}`);
    for (const coverage of driven.coverage.values()) {
      noteRow(context, rowOf(coverage, 'real client', `${counts.join(', ')}; ${driven.moves.size} moves`));
      expect(coverage.missing()).toEqual([]);
    }
    expect(stimuli.map(({ name }) => name).filter((name) => !driven.stimuli.has(name))).toEqual([]);
    const taken = new Set([...walkStatesFrom(start).values()].flatMap((state) => takenIn(state)));
    const silent = [...taken].filter((name) => !driven.heard.has(name));
    const reasonsFor = (name: string): number => {
      const [value = '', type = ''] = name.split(' · ');
      return unreachableEvents.filter((rule) => rule.events.test(type) && rule.values.test(value)).length;
    };
    expect(silent.filter((name) => reasonsFor(name) === 0)).toEqual([]);
    expect([...driven.heard].filter((name) => taken.has(name) && reasonsFor(name) > 0)).toEqual([]);
  });
});
