import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { channelPhases } from '../../client/transports/channel.phases.ts';
import { multiplexedPhases } from '../../client/transports/multiplexed.phases.ts';
import { CellCoverage, cellRow, cellsOf } from '../charts/cell-coverage.ts';
import { noteRow } from '../charts/coverage-row.ts';
import { describePhaseTable } from '../charts/phase-table-suite.ts';
import { channelRows, socketRows, socketScene, trySocketRow } from './socket-rows.ts';

describePhaseTable(multiplexedPhases, 'over');
describePhaseTable(channelPhases, 'over');

describe.each([
  ['a real socket that tasks share', multiplexedPhases, socketRows],
  ['a task on real sockets', channelPhases, channelRows],
] as const)('%s, on every event in every phase', (_name, table, rows) => {
  const visited = new Set<string>();
  let cells: CellCoverage;
  beforeAll(() => void (cells = new CellCoverage(table)));
  afterAll(() => cells.stop());

  test.each(rows.map((row) => [row.name, row] as const))('%s', async (name, row) => {
    const scene = socketScene();
    await row.arrange(scene);
    await scene.happened();
    cells.take();
    await trySocketRow(row, scene);
    const met = cells.take();
    expect(met).toContain(name);
    for (const cell of met) visited.add(cell);
  });

  test('has a row for each cell of the table that may come', () => {
    const names = new Set(rows.map(({ name }) => name));
    expect(cellsOf(table).possible.filter((name) => !names.has(name))).toEqual([]);
  });

  test('leaves no phase and no cell unvisited, and meets none that cannot come', (context) => {
    noteRow(context, cellRow(table, 'real sockets', visited, `${rows.length} rows by hand`));
    expect(cellsOf(table).possible.filter((name) => !visited.has(name))).toEqual([]);
    expect(cellsOf(table).never.filter((name) => visited.has(name))).toEqual([]);
  });
});
