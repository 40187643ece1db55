import { describe, expect, test } from 'vitest';
import { fromCallback, fromPromise, type AnyMachineSnapshot } from 'xstate';
import { entryMachine, type EntryEvent } from '../../client/outbox/entry.machine.ts';
import { outboxMachine, type OutboxContext, type OutboxEvent, type OutboxTurn } from '../../client/outbox/outbox.machine.ts';
import { childrenOf, everyStep, visit, walkSimplePaths, type ActingChart } from '../charts/acting-chart.ts';
import { alphabetOf } from '../charts/alphabet.ts';
import { describeChart } from '../charts/chart-suite.ts';
import { Coverage } from '../charts/coverage.ts';
import { noteRow, rowOf } from '../charts/coverage-row.ts';

const quiet = fromCallback<OutboxEvent>(() => undefined);
const chart: ActingChart = {
  machine: outboxMachine.provide({
    actors: {
      readEntries: fromPromise<{ readonly pending: number }>(() => new Promise(() => undefined)),
      sendNext: fromPromise<OutboxTurn>(() => new Promise(() => undefined)),
      claimLock: quiet,
      seizeLock: quiet,
      watchGate: quiet,
    },
  }),
  alphabet: [
    ...['gate.opened', 'gate.closed', 'lock.held', 'lock.lost', 'lock.refused'].map((type) => ({ type })),
    ...['entries.pending', 'entries.none', 'retry.asked', 'outbox.close'].map((type) => ({ type })),
    { type: 'xstate.done.actor.entries', output: { pending: 0 } },
    { type: 'xstate.done.actor.entries', output: { pending: 1 } },
    { type: 'xstate.error.actor.entries', error: 'no store' },
    { type: 'xstate.done.actor.turn', output: { outcome: 'settled' } },
    { type: 'xstate.done.actor.turn', output: { outcome: 'nothing' } },
    { type: 'xstate.done.actor.turn', output: { outcome: 'failed', error: 'no network', retryAfterMs: 5 } },
    { type: 'xstate.error.actor.turn', error: 'no store' },
  ],
  // How often it failed decides only how long it rests.
  keyOf: ({ value }) => JSON.stringify(value),
};
// Any machine's snapshot: this one's context.
const contextOf = ({ context }: AnyMachineSnapshot): OutboxContext => context as OutboxContext;
const workOf = (value: unknown): unknown => (value as { open?: { work?: unknown } }).open?.work;
const gateOf = (value: unknown): unknown => (value as { open?: { gate?: unknown } }).open?.gate;

describe('the outbox chart, every event from every state', () => {
  const steps = everyStep(chart);

  test('leaves no state or edge unvisited', (context) => {
    const coverage = new Coverage(chart.machine);
    visit(chart, steps, coverage);
    noteRow(context, rowOf(coverage, 'pure chart', `${walkSimplePaths(chart, () => undefined)} simple paths; every event in each value`));
    expect(coverage.missing()).toEqual([]);
  });

  test('sends only where the lock was given or there is none', () => {
    for (const { from, event, to } of steps) {
      if (!to.hasTag('sending') || from.hasTag('sending')) continue;
      if (!from.hasTag('resting')) expect(['lock.held', 'lock.refused']).toContain(event.type);
    }
  });

  test('begins nothing while the gate is closed', () => {
    for (const { from, to } of steps)
      if (gateOf(to.value) === 'closed' && to.hasTag('sending')) expect(from.hasTag('sending'), JSON.stringify(from.value)).toBe(true);
  });

  test('holds or awaits the lock exactly while it contends', () => {
    for (const { to } of steps)
      expect('lock' in to.children).toBe(typeof workOf(to.value) === 'object' && 'contending' in (workOf(to.value) as object));
  });

  test('says why it rests, and no longer', () => {
    for (const { to } of steps) if (to.hasTag('resting')) expect(contextOf(to).error).toEqual(expect.any(String));
  });

  test('ends from every state', () => {
    for (const { event, to } of steps) if (event.type === 'outbox.close') expect([to.value, childrenOf(to)]).toEqual(['closed', []]);
  });

  test('holds along every simple path', () => {
    const paths = walkSimplePaths(chart, ({ to }) => {
      if (to.status === 'error' || contextOf(to).failures > 10) throw new Error(`broke in ${JSON.stringify(to.value)}`);
    });
    expect(paths).toBeGreaterThan(10);
  });
});

describeChart({
  name: 'entry',
  machine: entryMachine,
  alphabet: alphabetOf<EntryEvent>({
    'entry.sent': [{ type: 'entry.sent' }],
    'entry.answered': [{ type: 'entry.answered' }],
    'entry.refused': [{ type: 'entry.refused' }],
    'entry.aged': [{ type: 'entry.aged' }],
    'entry.withdrawn': [{ type: 'entry.withdrawn' }],
  }),
  takesEveryFact: false,
  isBeyond: () => false,
  presets: [],
});
