import { describe, expect, test } from 'vitest';
import { createActor, type AnyMachineSnapshot } from 'xstate';
import { walkSimplePaths, type ActingStep } from '../charts/acting-chart.ts';
import { statesOf } from '../charts/drawn.ts';
import { connectionChart, quiet, quietConnection, quietRecovery, recoveryCharts, transportChart } from './transport-charts.ts';
import { patience } from '../support/patience.ts';

/** What holds after every step, whatever came before. */
function checkStep({ from, event, to }: ActingStep): void {
  const output = to.output as { readonly code?: unknown } | undefined;
  const context = to.context as { readonly passes?: number; readonly malformed?: number };
  const fault =
    (to.machine.id === 'transport' && to.value === 'failed' && typeof output?.code !== 'string' && 'failed without a reason') ||
    (event.type === 'log.ended' && to.value !== 'done' && 'went on after the end of the log') ||
    (to.status === 'error' && 'broke') ||
    (((context.passes ?? 0) > 5 || (context.malformed ?? 0) > 2) && 'counted without a limit');
  if (fault) throw new Error(`${JSON.stringify(from.value)} ${JSON.stringify(event)} ${JSON.stringify(to.value)}: ${fault}`);
}

describe('the three charts of the transport, every simple path', () => {
  test.each([
    ['transport', quiet, [transportChart({ ws: 1, sse: 1, poll: 1 }), transportChart({ ws: 2, sse: 0, poll: 0 })], 100],
    ['connection', quietConnection, (['ws', 'sse', 'poll'] as const).map(connectionChart), 10],
    ['recovery', quietRecovery, recoveryCharts, 100],
  ] as const)(
    'holds along each path of the %s, which ends the chart or comes back to where it was',
    (_name, machine, charts, least) => {
      const places = new Set<string>();
      let paths = 0;
      const note = ({ _nodes: nodes }: AnyMachineSnapshot): void => nodes.forEach(({ id }) => places.add(id));
      for (const chart of charts) {
        note(createActor(chart.machine, { input: chart.input }).getSnapshot() as AnyMachineSnapshot);
        paths += walkSimplePaths(chart, (step) => {
          checkStep(step);
          note(step.to);
        });
      }
      // A state that is left at once is no place to be.
      const drawn = statesOf(machine).filter(({ always = [] }) => always.length === 0);
      expect(drawn.map(({ id }) => id).filter((id) => !places.has(id))).toEqual([]);
      expect(paths).toBeGreaterThan(least);
    },
    patience(120_000),
  );
});
