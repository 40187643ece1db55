import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewerDescriptions, viewerPhases, type ViewerEventType, type ViewerPhase } from '../../server/live/viewer.phases.ts';
import { CellCoverage, cellRow, cellsOf, nameOf } from '../charts/cell-coverage.ts';
import { noteChecked, noteRow } from '../charts/coverage-row.ts';
import { describePhaseTable } from '../charts/phase-table-suite.ts';
import { tryRow, viewerRows } from './viewer-rows.ts';

describePhaseTable(viewerPhases, viewerDescriptions, 'over');

/** What a viewer waits for, and what it may hear of that; by hand. */
const waits: Readonly<Record<Exclude<ViewerPhase, 'over'>, readonly ViewerEventType[]>> = {
  reading: [
    ...(['tail.opened', 'turn.came', 'turn.crowded', 'page.read', 'task.gone', 'store.failed', 'store.exhausted'] as const),
    ...(['log.level', 'log.early', 'log.more', 'log.torn', 'log.ended', 'viewer.broke'] as const),
  ],
  opening: ['tail.opened', 'store.failed', 'store.exhausted'],
  behind: ['viewer.drained', 'viewer.broke'],
  retrying: ['pause.ended'],
  level: ['log.level', 'log.more', 'log.torn', 'log.ended', 'viewer.broke'],
  ending: ['viewer.drained', 'viewer.broke'],
};
const always: readonly ViewerEventType[] = ['facts.told', 'part.told', 'facts.missed', 'viewer.cut', 'viewer.closed'];

describe('a real viewer, on every event in every phase', () => {
  const visited = new Set<string>();
  let cells: CellCoverage;
  beforeAll(() => void (cells = new CellCoverage(viewerPhases)));
  afterAll(() => cells.stop());

  test.each(viewerRows.map((row) => [nameOf(row.phase, row.event), row] as const))('%s', async (name, row) => {
    const fixture = await row.arrange();
    cells.take();
    await tryRow(row, fixture);
    const met = cells.take();
    expect(met).toContain(name);
    for (const cell of met) visited.add(cell);
  });

  test('has a row for each cell of the table that may come', () => {
    const names = new Set(viewerRows.map(({ phase, event }) => nameOf(phase, event)));
    expect(cellsOf(viewerPhases).possible.filter((name) => !names.has(name))).toEqual([]);
  });

  test('never hears what it does not wait for', () => {
    const events = Object.keys(viewerPhases.phases.reading.on) as ViewerEventType[];
    const unheard = (Object.keys(waits) as (keyof typeof waits)[]).flatMap((phase) =>
      events.filter((event) => !waits[phase].includes(event) && !always.includes(event)).map((event) => nameOf(phase, event)),
    );
    // The pause is called off; and a viewer is not closed between what tears its log and that being found.
    expect(cellsOf(viewerPhases).never).toEqual([...unheard, nameOf('over', 'log.torn'), nameOf('over', 'pause.ended')]);
  });

  test('leaves no phase and no cell unvisited', (context) => {
    const row = cellRow(viewerPhases, 'real viewer', visited, `${viewerRows.length} rows by hand`);
    noteRow(context, row);
    noteChecked(context, row);
    expect(cellsOf(viewerPhases).possible.filter((name) => !visited.has(name))).toEqual([]);
    expect(cellsOf(viewerPhases).never.filter((name) => visited.has(name))).toEqual([]);
  });
});
