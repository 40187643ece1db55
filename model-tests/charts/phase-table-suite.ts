import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { contextOf, take, valueOf } from './chart.ts';
import { Coverage } from './coverage.ts';
import { noteRow, rowOf } from './coverage-row.ts';
import { cellsOf } from './cell-coverage.ts';
import { phaseChart, type AnyPhaseTable, type PhaseDescriptions } from './phase-chart.ts';

/** What a table of phases has to be, whatever it is about. `last` is the phase in which everything ends. */
export function describePhaseTable(table: AnyPhaseTable, descriptions: PhaseDescriptions, last: string): void {
  const machine = phaseChart(table, descriptions);
  const phases = Object.keys(table.phases);
  const events = Object.keys(table.phases[table.initial.to]?.on ?? {});
  const at = (phase: string): AnyMachineSnapshot => machine.resolveState({ value: phase, context: {} });

  describe(`the table of phases “${table.id}”`, () => {
    test('is data, as a chart is', () => {
      expect(JSON.parse(JSON.stringify(table))).toEqual(table);
    });

    test('is what its chart does, every event in every phase; no phase or edge of the chart is left unvisited', (context) => {
      const coverage = new Coverage(machine);
      for (const phase of phases)
        for (const type of events) {
          const cell = table.phases[phase]?.on[type];
          const step = take(machine, at(phase), { type });
          coverage.note(step);
          const stays = typeof cell !== 'object';
          expect([valueOf(step.next), step.edges.length, contextOf(step.next)]).toEqual([
            JSON.stringify(stays ? phase : (cell.to ?? phase)),
            stays ? 0 : 1,
            {},
          ]);
        }
      const { possible, never } = cellsOf(table);
      const walked = `${events.length} events in each phase: ${possible.length} that may come, ${never.length} that cannot`;
      noteRow(context, rowOf(coverage, 'pure chart', walked));
      expect(coverage.missing()).toEqual([]);
    });

    test('leads from its beginning to every phase, and from every phase to its end', () => {
      const next = (phase: string): string[] =>
        Object.values(table.phases[phase]?.on ?? {}).flatMap((cell) => (typeof cell === 'object' && cell.to ? [cell.to] : []));
      const reached = (from: string): Set<string> => {
        const met = new Set([from]);
        for (const phase of met) next(phase).forEach((to) => met.add(to));
        return met;
      };
      expect([...reached(table.initial.to)].sort()).toEqual([...phases].sort());
      for (const phase of phases) expect(reached(phase)).toContain(last);
      expect([...reached(last)]).toEqual([last]);
    });
  });
}
