import { expect, test } from 'vitest';
import type { CoverageRow } from './coverage-row.ts';
import { coverageTable, unchecked, wanting } from './coverage-table.ts';

const whole = { visited: 2, there: 2 };
const row = (chart: string, level: string, edges = whole): CoverageRow => ({
  chart,
  level,
  states: whole,
  edges,
  refusals: { visited: 0, there: 0 },
  elsewhere: 0,
  walked: '3 paths',
});

test('names each level that was not walked, and each that was not walked whole', () => {
  const rows = wanting([]).map((what) => row(...(what.replace(': not walked', '').split(', ') as [string, string])));
  expect(rows.map(({ chart }) => chart)).toEqual(expect.arrayContaining(['task', 'suspension', 'transport', 'attempt']));
  expect(wanting(rows)).toEqual([]);
  const [first, ...others] = rows;
  expect(wanting(others)).toEqual([`${first?.chart}, ${first?.level}: not walked`]);
  expect(wanting([row(first?.chart ?? '', first?.level ?? '', { visited: 1, there: 2 }), ...others])).toEqual([
    `${first?.chart}, ${first?.level}: not whole`,
  ]);
});

test('asks only for the levels that were to be walked', () => {
  expect(wanting([], [])).toEqual([]);
  expect(wanting([], ['real client'])).toEqual([
    'transport, real client: not walked',
    'connection, real client: not walked',
    'recovery, real client: not walked',
  ]);
});

test('names each chart that is held against no rows by hand, and each that is not whole', () => {
  expect(unchecked([], [])).toEqual([]);
  expect(unchecked([], ['real viewer'])).toEqual(['viewer, real viewer: not checked']);
  expect(unchecked([{ chart: 'viewer', level: 'real viewer', edges: { visited: 1, there: 2 } }], ['real viewer'])).toEqual([
    'viewer, real viewer: not checked whole',
  ]);
  const checked = unchecked([]).map((what) => {
    const [chart = '', level = ''] = what.replace(': not checked', '').split(', ');
    return { chart, level, edges: whole };
  });
  expect(checked.map(({ chart }) => chart)).toEqual(expect.arrayContaining(['task', 'transport', 'tab', 'viewer', 'channel']));
  expect(unchecked(checked)).toEqual([]);
});

test('shows a row for each level, in the order of the charts', () => {
  const checked = [{ chart: 'task', level: 'pure chart', edges: { visited: 1, there: 2 } }];
  const lines = coverageTable([row('transport', 'pure chart'), row('task', 'pure chart')], checked).split('\n');
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ['chart', 'level', 'states', 'edges', 'refusals', 'elsewhere', 'checked', 'walked'],
    ['task', 'pure chart', '2/2', '2/2', '1/2', '3 paths'],
    ['transport', 'pure chart', '2/2', '2/2', '3 paths'],
  ]);
});
