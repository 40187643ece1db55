import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedStreamDescriptions, sharedStreamPhases } from '../../client/streams/shared-stream.phases.ts';
import { CellCoverage, cellRow, cellsOf } from '../charts/cell-coverage.ts';
import { noteChecked, noteRow } from '../charts/coverage-row.ts';
import { describePhaseTable } from '../charts/phase-table-suite.ts';
import { lateEffects } from './first-effects.ts';
import { each, streamFixture, tryStreamRow, turn } from './stream-fixture.ts';
import { streamMoves, streamRows } from './stream-rows.ts';

describePhaseTable(sharedStreamPhases, sharedStreamDescriptions, 'over');

describe('tasks on a shared stream, on every event in every phase', () => {
  const visited = new Set<string>();
  let cells: CellCoverage;
  beforeAll(() => void (cells = new CellCoverage(sharedStreamPhases)));
  afterAll(() => cells.stop());

  test.each(streamRows.map((row) => [row.name, row] as const))('%s', async (name, row) => {
    const fixture = streamFixture();
    await row.arrange(fixture);
    await fixture.happened();
    cells.take();
    await tryStreamRow(row, fixture);
    const met = cells.take();
    expect(met).toContain(name);
    for (const cell of met) visited.add(cell);
  });

  test('has a row for each cell of the table that may come, and for no other', () => {
    expect([...new Set(streamRows.map(({ name }) => name))].sort()).toEqual([...cellsOf(sharedStreamPhases).possible].sort());
  });

  test('goes where it should, and nowhere else', () => {
    const moves = Object.entries(sharedStreamPhases.phases).map(([phase, { on }]) => [
      phase,
      Object.fromEntries(Object.entries(on).flatMap(([event, cell]) => (typeof cell === 'object' && cell.to ? [[event, cell.to]] : []))),
    ]);
    expect(Object.fromEntries(moves)).toEqual(streamMoves);
  });

  test('leaves no phase and no cell unvisited, and meets none that cannot come', (context) => {
    const row = cellRow(sharedStreamPhases, 'real streams', visited, `${streamRows.length} rows by hand`);
    noteRow(context, row);
    noteChecked(context, row);
    expect(cellsOf(sharedStreamPhases).possible.filter((name) => !visited.has(name))).toEqual([]);
    expect(cellsOf(sharedStreamPhases).never.filter((name) => visited.has(name))).toEqual([]);
  });
});

test('tasks of whom none is left are forgotten before all else, so that who comes then does not meet them', () => {
  expect(lateEffects(sharedStreamPhases)).toEqual([]);
});

const fact = (taskId: string, n: number) => ({ type: 'TASK_MESSAGE', taskId, eventId: `${n}-1`, createdAt: 'now', payload: {} });
const beat = (taskId: string) => ({ type: 'HEARTBEAT', taskId, eventId: 'hb', createdAt: 'now', payload: { live: true } });
const ended = (taskId: string, code: number) => ({ type: 'SUBSCRIPTION_ENDED', taskId, code, reason: '' });
/** Two tasks that are live on the first stream. */
const live = each(
  (fixture) => fixture.come('a', 'b'),
  (fixture) => fixture.grant(0),
  (fixture) => fixture.happened(),
);

describe('a frame of a shared stream', () => {
  test('is for its task, confirms it the first time, and a comment is a sign of life of all', async () => {
    const fixture = streamFixture();
    await live(fixture);
    fixture.say(0, beat('a'), fact('a', 1), beat('b'));
    expect(await fixture.happened()).toMatchObject({ a: ['confirmed', 'HEARTBEAT', 'TASK_MESSAGE'], b: ['confirmed', 'HEARTBEAT'] });
    fixture.say(0, ':');
    expect(await fixture.happened()).toMatchObject({ a: ['alive'], b: ['alive'] });
  });

  test('that is for nobody is for all of them to judge', async () => {
    const fixture = streamFixture();
    await live(fixture);
    fixture.say(0, 'no json', fact('c', 1));
    const judged = ['confirmed', 'no json', 'TASK_MESSAGE'];
    expect(await fixture.happened()).toMatchObject({ a: judged, b: judged });
  });

  test.each([
    [1000, 'closed 1000'],
    [1008, 'closed 1008'],
    [1006, 'lost'],
    [1013, 'lost'],
  ])('that ends a task with %i tells it so, and nobody else', async (code, said) => {
    const fixture = streamFixture();
    await live(fixture);
    fixture.say(0, ended('a', code));
    expect(await fixture.happened()).toEqual({ a: [said], open: [0], held: 1 });
    // It is over there: what shows less would cost a request, and shows nothing that is not shown now.
    fixture.leave('a');
    expect(await fixture.happened()).toEqual({ open: [0], held: 1 });
  });

  test('for a task that has left asks for a stream without it, and reaches nobody', async () => {
    const fixture = streamFixture();
    await live(fixture);
    fixture.leave('a');
    expect(await fixture.happened()).toEqual({ open: [0], held: 1 });
    fixture.say(0, fact('a', 1), fact('a', 2));
    expect(await fixture.happened()).toEqual({ asked: ['b@'], open: [0, 1], held: 1 });
    fixture.grant(1);
    expect(await fixture.happened()).toEqual({ open: [1], held: 1 });
  });

  test('of the former stream is not for a task that has come back, which stands elsewhere', async () => {
    const fixture = streamFixture();
    await live(fixture);
    fixture.leave('a');
    fixture.reach('a', '4-1');
    fixture.come('a');
    expect(await fixture.happened()).toMatchObject({ asked: ['b@,a@4-1'] });
    fixture.say(0, fact('a', 9));
    expect(await fixture.happened()).not.toHaveProperty('a');
    fixture.grant(1);
    fixture.say(1, beat('a'), fact('a', 5));
    expect(await fixture.happened()).toMatchObject({ a: ['confirmed', 'HEARTBEAT', 'TASK_MESSAGE'] });
  });

  test('that is no grant shows a server of another kind: each task has a stream of its own', async () => {
    const fixture = streamFixture();
    fixture.come('a');
    await turn();
    fixture.begin(0, fact('a', 1));
    expect(await fixture.happened()).toMatchObject({ a: ['alone'] });
  });
});

describe('a place to hold a stream', () => {
  test('is one, however many tasks and streams there are, and the tasks go on without streams where there is none', async () => {
    const fixture = streamFixture({ places: 1 });
    await live(fixture);
    fixture.come('c');
    expect(await fixture.happened()).toEqual({ asked: ['a@,b@,c@'], open: [0, 1], held: 1 });
    const none = streamFixture({ places: 0 });
    none.come('a');
    expect(await none.happened()).toEqual({ a: ['refused 501'] });
    const must = streamFixture({ places: 0, polls: false });
    must.come('a');
    expect(await must.happened()).toEqual({ asked: ['a@'], open: [0] });
  });

  test('is given back when the last task has left', async () => {
    const fixture = streamFixture();
    await live(fixture);
    fixture.leave('a', 'b');
    expect(await fixture.happened()).toEqual({});
  });
});
