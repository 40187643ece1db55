import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { channelDescriptions, channelPhases } from '../../client/transports/channel.phases.ts';
import { multiplexedDescriptions, multiplexedPhases } from '../../client/transports/multiplexed.phases.ts';
import { CellCoverage, cellRow, cellsOf } from '../charts/cell-coverage.ts';
import { noteChecked, noteRow } from '../charts/coverage-row.ts';
import type { AnyPhaseTable } from '../charts/phase-chart.ts';
import { describePhaseTable } from '../charts/phase-table-suite.ts';
import { channelMoves, channelRows } from './channel-rows.ts';
import { lateEffects } from './first-effects.ts';
import { socketMoves, socketRows } from './socket-rows.ts';
import { socketFixture, trySocketRow } from './socket-fixture.ts';

describePhaseTable(multiplexedPhases, multiplexedDescriptions, 'over');
describePhaseTable(channelPhases, channelDescriptions, 'over');

describe.each([
  ['a real socket that tasks share', multiplexedPhases, socketMoves, socketRows],
  ['a task on real sockets', channelPhases, channelMoves, channelRows],
] as const)('%s, on every event in every phase', (_name, table, moves, rows) => {
  const visited = new Set<string>();
  let cells: CellCoverage;
  beforeAll(() => void (cells = new CellCoverage(table)));
  afterAll(() => cells.stop());

  test.each(rows.map((row) => [row.name, row] as const))('%s', async (name, row) => {
    const fixture = socketFixture();
    await row.arrange(fixture);
    await fixture.happened();
    cells.take();
    await trySocketRow(row, fixture);
    const met = cells.take();
    expect(met).toContain(name);
    for (const cell of met) visited.add(cell);
  });

  test('has a row for each cell of the table that may come, and for no other', () => {
    expect([...new Set(rows.map(({ name }) => name))].sort()).toEqual([...cellsOf(table).possible].sort());
  });

  test('goes where it should, and nowhere else', () => {
    expect(movesOf(table)).toEqual(moves);
  });

  test('leaves no phase and no cell unvisited, and meets none that cannot come', (context) => {
    const row = cellRow(table, 'real sockets', visited, `${rows.length} rows by hand`);
    noteRow(context, row);
    noteChecked(context, row);
    expect(cellsOf(table).possible.filter((name) => !visited.has(name))).toEqual([]);
    expect(cellsOf(table).never.filter((name) => visited.has(name))).toEqual([]);
  });
});

function movesOf({ phases }: AnyPhaseTable): Record<string, Record<string, string>> {
  const movesFrom = (phase: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(phases[phase]?.on ?? {}).flatMap(([event, cell]) =>
        typeof cell === 'object' && cell.to !== undefined ? [[event, cell.to] as const] : [],
      ),
    );
  return Object.fromEntries(Object.keys(phases).map((phase) => [phase, movesFrom(phase)]));
}

test('a socket that is over is forgotten before anybody hears of it, so that who comes back does not meet it', () => {
  expect(lateEffects(multiplexedPhases)).toEqual([]);
});

test('a task leaves its socket before it hears why, so that it may come back at once', () => {
  expect(lateEffects(channelPhases)).toEqual([]);
});
