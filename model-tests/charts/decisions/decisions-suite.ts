import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Coverage } from '../coverage.ts';
import { noteChecked } from '../coverage-row.ts';
import { rowsOf, wordsOf } from './decision-table.ts';
import { BEGINNING, faultsOf, judgedCells, valuesOf, type Decisions } from './decisions.ts';

const PROTOCOL = 'docs/protocol.md';
const wordsOfPage = (page: string): string => wordsOf(readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8'));

/** Holds a chart against its table, and its table against the chart and the protocol. */
export function describeDecisions<Context>(decisions: Decisions<Context>): void {
  const { machine, rows, cells, states, times = [], asides = [], pages = [], value } = decisions;
  describe(`the table of the ${decisions.name}`, () => {
    test('has one row for each state, each that it may be told, and each that it may remember', () => {
      const counts = cells.map((cell) => ({ ...cell, found: rowsOf(rows, cell).length }));
      const wrong = counts
        .filter(({ found }) => found !== 1)
        .map(({ state, told, where, found }) => `${found}: ${state}, ${told}, ${where}`);
      expect(wrong).toEqual([]);
      const used = new Set(cells.flatMap((cell) => rowsOf(rows, cell)));
      expect(rows.filter((row) => !used.has(row)).map(({ line }) => line)).toEqual([]);
    });

    test('knows every state, event and time of the chart', () => {
      const sorted = (values: readonly unknown[]): string[] => values.map((each) => JSON.stringify(each)).sort();
      expect(sorted(states.map(({ state }) => value(state)))).toEqual(sorted(valuesOf(machine.root)));
      const told = new Set(judgedCells(decisions).map(({ event }) => event?.type));
      const untold = (machine.events as readonly string[]).filter((type) => !told.has(type) && !type.endsWith('.*'));
      expect(untold).toEqual([]);
      expect([...new Set(times.map(({ time }) => time))].sort()).toEqual(Object.keys(machine.implementations.delays).sort());
      const met = new Set(cells.map(({ state }) => state));
      expect(
        [...states.filter(({ isPassing, isEnd }) => !isPassing && !isEnd).map(({ state }) => state)].filter((state) => !met.has(state)),
      ).toEqual([]);
      expect([...met].filter((state) => state !== BEGINNING && !states.some((one) => one.state === state))).toEqual([]);
    });

    test('is what the protocol says', () => {
      const words = [PROTOCOL, ...pages].map(wordsOfPage).join(' ');
      const reasons = [...rows, ...times, ...asides].map(({ because }) => because);
      expect(reasons.filter((because) => because === '' || !words.includes(wordsOf(because)))).toEqual([]);
    });

    test('is what the chart does, and says what comes of each of its arrows', (context) => {
      const coverage = new Coverage(machine);
      expect([...faultsOf(decisions, machine, judgedCells(decisions), (edge) => coverage.take(edge))]).toEqual([]);
      const { visited, drawn } = coverage.count('edge');
      noteChecked(context, { chart: machine.id, level: 'pure chart', edges: { visited, there: drawn } });
      expect(coverage.missing().filter((name) => name.startsWith('edge '))).toEqual([]);
    });
  });
}
