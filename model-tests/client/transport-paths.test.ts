import { getShortestPaths } from '@xstate/graph';
import type { connectionMachine, transportMachine, TransportFailure } from 'taskbridge/machines';
import { beforeAll, describe, expect, test } from 'vitest';
import { createActor, type AnyMachineSnapshot, type ContextFrom, type EventFrom } from 'xstate';
import { childrenOf, eventsOf, everyStep, visit, type ActingChart, type ActingStep } from '../charts/acting-chart.ts';
import { Coverage } from '../charts/coverage.ts';
import { noteRow, rowOf } from '../charts/coverage-row.ts';
import { edgesOf, statesOf } from '../charts/drawn.ts';
import { patience } from '../support/patience.ts';
import { connectionChart, quiet, quietConnection, quietRecovery, recoveryCharts, transportChart } from './transport-charts.ts';

/** One try each; two tries on the only rung; no last rung; nothing to refresh. */
const transports = [
  transportChart({ ws: 1, sse: 1, poll: 1 }),
  transportChart({ ws: 2, sse: 0, poll: 0 }),
  transportChart({ ws: 1, sse: 1, poll: 0 }),
  transportChart({ ws: 1, sse: 1, poll: 0 }, false),
];
const connections = (['ws', 'sse', 'poll'] as const).map(connectionChart);

interface Walked {
  readonly chart: ActingChart;
  readonly steps: readonly ActingStep[];
}
const walk = (charts: readonly ActingChart[]): Walked[] => charts.map((chart) => ({ chart, steps: everyStep(chart) }));
let walked: { readonly transport: Walked[]; readonly connection: Walked[]; readonly recovery: Walked[] };
beforeAll(() => {
  walked = { transport: walk(transports), connection: walk(connections), recovery: walk(recoveryCharts) };
  const byKey = walked.transport.flatMap(({ chart, steps }) =>
    steps.map(({ to }) => [`${chart.keyOf(to)} ${childrenOf(to).join()}`, to] as const),
  );
  reached = [...new Map(byKey).values()];
}, patience(120_000));

const stepsOf = (name: keyof typeof walked): ActingStep[] => walked[name].flatMap(({ steps }) => [...steps]);
/** Where the steps lead, once each. */
let reached: readonly AnyMachineSnapshot[];
// The snapshot of just any machine is typed as anything.
const contextOf = ({ context }: AnyMachineSnapshot): ContextFrom<typeof transportMachine> =>
  context as ContextFrom<typeof transportMachine>;
const beginningOf = ({ machine, input }: ActingChart): AnyMachineSnapshot =>
  createActor(machine, { input }).getSnapshot() as AnyMachineSnapshot;
const valueOf = ({ value }: AnyMachineSnapshot): unknown => value;
const placeOf = ({ value }: AnyMachineSnapshot): string =>
  typeof value === 'string' ? value : (value as { observing: { delivering: string } }).observing.delivering;

describe('the three charts of the transport, every event from every state of a bounded model', () => {
  test.for([
    ['transport', quiet],
    ['connection', quietConnection],
    ['recovery', quietRecovery],
  ] as const)(
    'leaves no state or edge of the %s unvisited, and can be read when it is drawn',
    { timeout: patience(120_000) },
    ([name, machine], context) => {
      const coverage = new Coverage(machine);
      for (const { chart, steps } of walked[name]) {
        // An actor is started only for what may still take an edge that none has taken.
        const wanted = coverage.missing();
        const wants = (type: string): boolean => wanted.some((one) => one.includes(` ${type} #`) || one.includes(' always #'));
        const types = steps.filter(({ event }) => wants(event.type) || wants(event.type.replace(/[^.]+$/, '*')));
        visit(chart, wanted.length === 0 ? [] : types, coverage);
        for (const { to } of steps) coverage.reach(to);
        coverage.reach(beginningOf(chart));
      }
      const events = new Set(walked[name].flatMap(({ chart }) => eventsOf(chart).map((event) => JSON.stringify(event)))).size;
      const states = walked[name].reduce((sum, { chart, steps }) => sum + new Set(steps.map(({ from }) => chart.keyOf(from))).size, 0);
      noteRow(context, rowOf(coverage, 'pure chart', `${events} events in each of ${states} states`));
      expect(coverage.missing()).toEqual([]);
      expect(statesOf(machine).length).toBeLessThanOrEqual(16);
      expect(edgesOf(machine).length).toBeLessThanOrEqual(45);
    },
  );

  test('has a connection exactly where the states say so', () => {
    for (const to of reached) {
      const { transport, probe } = contextOf(to);
      const place = placeOf(to);
      const wanted = [
        'network',
        ...(['connecting', 'steady', 'probing', 'proving'].includes(place) ? [transport] : []),
        // Also one that has ended, until it is put away: beside one that is silent, and one that may be dead.
        ...(['connecting', 'steady', 'probing'].includes(place) && probe !== null ? [probe] : []),
        ...(place === 'recovering' ? ['recovery'] : []),
      ];
      if (to.status === 'active' && String(childrenOf(to).sort()) !== String(wanted.sort()))
        expect([valueOf(to), childrenOf(to)]).toEqual([valueOf(to), wanted]);
      if (to.status === 'active' && !['connecting', 'steady', 'probing'].includes(place)) expect(probe).toBeNull();
      if (to.status === 'active' && place === 'probing') expect(probe).not.toBeNull();
    }
  });

  test('never uses a transport that was ruled out, climbs only to one above the one that delivers, and asks only one below it beside it', () => {
    const order = ['ws', 'sse', 'poll'];
    for (const to of reached) {
      const { transport, probe, tries } = contextOf(to);
      if (['connecting', 'steady', 'probing', 'proving'].includes(placeOf(to))) expect(tries[transport]).toBeGreaterThan(0);
      if (probe === null || to.status !== 'active') continue;
      expect(tries[probe]).toBeGreaterThan(0);
      const [above, below] = placeOf(to) === 'probing' ? [probe, transport] : [transport, probe];
      expect(order.indexOf(above)).toBeLessThan(order.indexOf(below));
    }
  });

  test('ends from every state when the log does', () => {
    for (const { from, event, to } of stepsOf('transport'))
      if (from.status === 'active' && event.type === 'log.ended') expect(to.value).toBe('done');
  });

  test('opens nothing before the gate has said that it is open', () => {
    for (const { from, event, to } of stepsOf('connection')) {
      const before = childrenOf(from);
      const opened = childrenOf(to).filter((id) => id !== 'gate' && !before.includes(id));
      if (opened.length > 0) expect(event.type satisfies string).toBe('gate.opened' satisfies EventFrom<typeof connectionMachine>['type']);
    }
  });

  test('says why wherever it fails', () => {
    for (const { to } of stepsOf('transport'))
      if (to.value === 'failed') expect((to.output as TransportFailure | null)?.code).toEqual(expect.any(String));
    for (const { to } of stepsOf('recovery'))
      if (to.value === 'failed') expect((to.output as { failure: TransportFailure | null }).failure?.code).toEqual(expect.any(String));
  });

  test('keeps its counters small', () => {
    for (const { to } of stepsOf('transport')) {
      const { passes, climbFailures } = contextOf(to);
      if (passes > 5 || climbFailures > 4) expect({ value: valueOf(to), passes, climbFailures }).toBe('small');
    }
    for (const { to } of stepsOf('connection')) expect((to.context as { malformed: number }).malformed).toBeLessThan(3);
  });

  test(
    'reaches every value by a shortest path',
    () => {
      for (const { chart, steps } of [walked.transport[0], walked.connection[0], walked.connection[2]].filter((one) => one !== undefined)) {
        const paths = getShortestPaths(chart.machine, {
          // The graph package asks for the alphabet as the machine declares it; ours holds XState's own events besides.
          events: eventsOf(chart) as never,
          input: chart.input as never,
          limit: 1_000_000,
          serializeState: chart.keyOf as never,
          serializeEvent: ((event: object) => JSON.stringify(event)) as never,
        });
        const values = new Set(paths.map(({ state }) => JSON.stringify((state as AnyMachineSnapshot).value)));
        const known = new Set(steps.map(({ to }) => JSON.stringify(to.value)));
        expect([...known].filter((value) => !values.has(value))).toEqual([]);
        expect(values.size).toBeGreaterThan(3);
      }
    },
    patience(120_000),
  );
});
