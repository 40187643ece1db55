import { getAdjacencyMap, getShortestPaths } from '@xstate/graph';
import type { transportMachine, TransportContext } from 'taskbridge/machines';
import { beforeAll, describe, expect, test } from 'vitest';
import { createActor, SimulatedClock, type AnyTransitionDefinition, type SnapshotFrom } from 'xstate';
import { Coverage } from '../charts/coverage.ts';
import { noteRow, rowOf } from '../charts/coverage-row.ts';
import { alphabet, keyOf, quiet, type WalkedEvent } from './transport-alphabet.ts';
import { patience } from '../support/patience.ts';

type Snapshot = SnapshotFrom<typeof transportMachine>;
interface Step {
  readonly from: Snapshot;
  readonly event: WalkedEvent;
  readonly to: Snapshot;
}

// The graph package asks for the alphabet as the machine declares it; ours holds XState's own events besides.
const walk = {
  events: alphabet as never,
  limit: 1_000_000,
  serializeState: keyOf as never,
  serializeEvent: ((event: WalkedEvent) => JSON.stringify(event)) as never,
};
/** One try each; two tries on the only rung; no last rung. */
const budgets = [
  { ws: 1, sse: 1, poll: 1 },
  { ws: 2, sse: 0, poll: 0 },
  { ws: 1, sse: 1, poll: 0 },
] as const;
let steps: Step[] = [];

/** The edges that a live actor takes for one event from one state. */
function edgesOf(from: Snapshot, event: WalkedEvent): readonly AnyTransitionDefinition[] {
  const taken: AnyTransitionDefinition[] = [];
  const snapshot = quiet.resolveState({ value: from.value, context: from.context });
  const actor = createActor(quiet, {
    snapshot,
    // A resolved snapshot has its context; the input is not looked at again.
    input: { tries: { ws: 1, sse: 1, poll: 1 }, strategy: 'progressive-sticky', refreshable: true },
    clock: new SimulatedClock(),
    inspect: (inspected) => {
      if (inspected.type === '@xstate.microstep') taken.push(...inspected._transitions);
    },
  }).start();
  actor.send(event as never);
  actor.stop();
  return taken;
}

const observing = (snapshot: Snapshot): { delivering: unknown; climbing: string; gate: string } | undefined =>
  typeof snapshot.value === 'string' ? undefined : (snapshot.value.observing as { delivering: unknown; climbing: string; gate: string });
const rungOf = (snapshot: Snapshot): string => {
  const delivering = observing(snapshot)?.delivering ?? '';
  return typeof delivering === 'string' ? delivering : (Object.keys(delivering as object)[0] ?? '');
};

beforeAll(() => {
  steps = budgets.flatMap((tries) => {
    const fromState = createActor(quiet, { input: { tries, strategy: 'progressive-sticky', refreshable: true } }).getSnapshot();
    const map = getAdjacencyMap(quiet, { ...walk, fromState });
    // The map is typed by the alphabet that the machine declares; see above.
    const nodes = Object.values(map) as { state: Snapshot; transitions: Record<string, { event: WalkedEvent; state: Snapshot }> }[];
    return nodes.flatMap(({ state, transitions }) =>
      Object.values(transitions).map(({ event, state: to }) => ({ from: state, event, to })),
    );
  });
}, patience(120_000));

describe('the transport chart, every event from every state of a bounded model', () => {
  test(
    'leaves no state or edge unvisited',
    (context) => {
      const coverage = new Coverage(quiet);
      const seen = new Set<string>();
      const states = new Set(steps.map(({ from }) => from));
      for (const state of states) coverage.reach(state);
      for (const { to } of steps) if (to.status !== 'active') coverage.reach(to);
      let wanted = coverage.missing();
      for (const { from, event } of steps) {
        // An actor is started only for what may still take an edge that none has taken.
        if (!wanted.some((name) => name.includes(` ${event.type} #`) || name.includes(' always #'))) continue;
        if (from.status !== 'active' || !from.can(event as never)) continue;
        // An actor that is not running cannot fail.
        if (event.type === 'xstate.error.actor.settle' && !['settling', 'appealing'].includes(rungOf(from))) continue;
        if (event.type === 'xstate.error.actor.refresh' && rungOf(from) !== 'refreshing') continue;
        // Regions are told apart by the value and what guards read; a merged history is walked once.
        const key = `${keyOf(from)} ${JSON.stringify(event)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        edgesOf(from, event).forEach((edge) => coverage.take(edge));
        wanted = coverage.missing();
      }
      noteRow(
        context,
        rowOf(coverage, 'pure chart', `${alphabet.length} events in each of ${new Set([...states].map(keyOf)).size} states`),
      );
      expect(coverage.missing()).toEqual([]);
    },
    patience(120_000),
  );

  test('has a connection open exactly where the states say so', () => {
    for (const { to } of steps) {
      const climbing = observing(to)?.climbing;
      const wanted = [
        ...(rungOf(to) === 'webSocket' || climbing === 'webSocket' ? ['ws'] : []),
        ...(rungOf(to) === 'eventStream' || climbing === 'eventStream' ? ['sse'] : []),
      ];
      const open = ['ws', 'sse'].filter((name) => name in to.children);
      if (to.status === 'active' && String(open) !== String(wanted))
        expect({ value: to.value, open }).toEqual({ value: to.value, open: wanted });
    }
  });

  test('never uses a transport that was ruled out', () => {
    const names = { webSocket: 'ws', eventStream: 'sse' } as const;
    for (const { to } of steps) {
      for (const rung of [rungOf(to), observing(to)?.climbing])
        if (rung === 'webSocket' || rung === 'eventStream') expect(to.context.tries[names[rung]]).toBeGreaterThan(0);
    }
  });

  test('ends from every state when the log does', () => {
    for (const { from, event, to } of steps) if (from.status === 'active' && event.type === 'log.ended') expect(to.value).toBe('done');
  });

  test('opens nothing while the gate is closed', () => {
    for (const { from, event, to } of steps) {
      if (observing(from)?.gate !== 'closed' || observing(to)?.gate !== 'closed') continue;
      // Level means that the connection was open before.
      if (event.type.endsWith('.level')) continue;
      const opened = ['ws', 'sse', 'pollOnce', 'pollAndWait'].filter(
        (name) => to.children[name as 'ws'] && to.children[name as 'ws'] !== from.children[name as 'ws'],
      );
      if (opened.length > 0) expect({ value: from.value, event, opened }).toEqual({ value: from.value, event, opened: [] });
    }
  });

  test('says why wherever it fails', () => {
    for (const { to } of steps) if (to.value === 'failed') expect(to.output?.code).toEqual(expect.any(String));
  });

  test('keeps its counters small', () => {
    for (const { to } of steps) {
      const { passes, climbFailures, malformed, refreshesLeft } = to.context satisfies TransportContext;
      const areSmall = passes <= 5 && climbFailures <= 4 && malformed <= 2 && refreshesLeft >= 0;
      if (!areSmall) expect({ value: to.value, passes, climbFailures, malformed, refreshesLeft }).toBe('small');
    }
  });

  test(
    'reaches every value by a shortest path',
    () => {
      const paths = getShortestPaths(quiet, walk);
      const values = new Set(paths.map(({ state }) => JSON.stringify(state.value)));
      const known = new Set(steps.map(({ to }) => JSON.stringify(to.value)));
      expect([...known].filter((value) => !values.has(value))).toEqual([]);
      expect(values.size).toBeGreaterThan(40);
    },
    patience(120_000),
  );
});
