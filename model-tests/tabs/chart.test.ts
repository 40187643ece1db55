import { describe, expect, test } from 'vitest';
import { fromCallback, type AnyMachineSnapshot } from 'xstate';
import { tabMachine, type TabContext, type TabEvent } from '../../client/tabs/tab.machine.ts';
import { childrenOf, everyStep, visit, walkSimplePaths, type ActingChart } from '../charts/acting-chart.ts';
import { Coverage } from '../charts/coverage.ts';
import { noteRow, rowOf } from '../charts/coverage-row.ts';

// Any machine's snapshot: this one's context.
const contextOf = ({ context }: AnyMachineSnapshot): TabContext => context as TabContext;
const quiet = fromCallback<TabEvent>(() => undefined);
const machine = tabMachine.provide({
  actors: {
    claimLock: quiet,
    seizeLock: quiet,
    converse: quiet,
    follow: fromCallback<TabEvent, { leader: string }>(() => undefined),
    lead: quiet,
    askLeader: quiet,
    seekLeader: quiet,
    sweep: quiet,
    connectAlone: quiet,
  },
});
const chart: ActingChart = {
  machine,
  input: { canShare: true },
  alphabet: [
    { type: 'lock.held' },
    { type: 'lock.lost' },
    { type: 'lock.refused' },
    ...['a', 'b'].flatMap((leader) => ['named', 'answered', 'resigned'].map((what) => ({ type: `leader.${what}`, leader }))),
    { type: 'tab.close' },
  ],
  keyOf: (snapshot) => JSON.stringify([snapshot.value, contextOf(snapshot)]),
};
const alone: ActingChart = { ...chart, input: { canShare: false } };

describe('the tab chart, every event from every state', () => {
  const steps = everyStep(chart);
  const all = [...steps, ...everyStep(alone)];

  test('leaves no state or edge unvisited', (context) => {
    const coverage = new Coverage(machine);
    visit(chart, steps, coverage);
    visit(alone, everyStep(alone), coverage);
    noteRow(context, rowOf(coverage, 'pure chart', `${walkSimplePaths(chart, () => undefined)} simple paths; every event in each state`));
    expect(coverage.missing()).toEqual([]);
    expect(all.some(({ from }) => from.hasTag('alone'))).toBe(true);
  });

  test('claims a lock wherever it is together with others, and nowhere else', () => {
    for (const { to } of all) expect('lock' in to.children).toBe(to.status === 'active' && to.value !== 'alone');
  });

  test('leads only by a lock that it was given, and no longer than it has it', () => {
    for (const { from, event, to } of all) {
      if (to.hasTag('leading') && !from.hasTag('leading')) expect(event.type).toBe('lock.held');
      if (from.hasTag('leading') && event.type === 'lock.lost') expect(to.hasTag('leading')).toBe(false);
    }
  });

  test('knows whom it follows exactly while it follows', () => {
    for (const { to } of all) expect('follow' in to.children).toBe(contextOf(to).leader !== null);
  });

  test('ends from every state', () => {
    for (const { event, to } of all) if (event.type === 'tab.close') expect([to.value, childrenOf(to)]).toEqual(['closed', []]);
  });

  test('holds along every simple path', () => {
    const paths = walkSimplePaths(chart, ({ to }) => {
      if (to.status === 'error') throw new Error(`broke in ${JSON.stringify(to.value)}`);
    });
    expect(paths).toBeGreaterThan(10);
  });
});
