import { describe, expect, test } from 'vitest';
import { changeLineOf, changeTableOf, pairChanges, type Pair } from '../../bench/check/pair.ts';

const title = 'Polls';
type Runs = readonly (readonly [before: number, now: number])[];

/** One row, in so many pairs of runs of one round. */
function pairsOf(unit: string, runs: Runs): readonly Pair[] {
  const sections = (figure: number) => [{ title, rows: [{ name: 'a row', unit, figures: { ours: [figure] } }] }];
  return runs.map(([before, now]) => ({ before: sections(before), now: sections(now) }));
}

const quiet: Runs = [
  [1000, 900],
  [1010, 900],
  [990, 905],
  [1000, 895],
  [1005, 900],
];

describe('two checkouts beside each other', () => {
  test.each<[string, string, Runs, string]>([
    ['a tenth less a second', 'requests/s', quiet, 'slower'],
    ['a tenth less a second of a processor', 'frames a second of the server’s processor', quiet, 'slower'],
    ['a tenth more a second', 'requests/s', quiet.map(([before, now]) => [now, before]), 'faster'],
    ['a tenth less time', 'µs of server a task', quiet, 'faster'],
    ['a tenth more time', 'p50 ms', quiet.map(([before, now]) => [now, before]), 'slower'],
    ['a hundredth, however often', 'requests/s', quiet.map(() => [1000, 990]), 'neither'],
    // The machine was slow for both of a pair, and a pair says the same.
    [
      'a tenth less on a machine that comes and goes',
      'requests/s',
      quiet.map(([before, now], at) => [before / (at + 1), now / (at + 1)]),
      'slower',
    ],
    ['what one of five pairs contradicts', 'requests/s', [...quiet.slice(1), [900, 1000]], 'neither'],
    ['what one of nine pairs contradicts', 'requests/s', [...quiet, ...quiet.slice(2), [900, 1000]], 'slower'],
    [
      'pairs that differ more than the change is',
      'requests/s',
      [
        [1000, 990],
        [1000, 700],
        [1000, 910],
        [1000, 985],
        [1000, 800],
      ],
      'neither',
    ],
  ])('%s: %s', (_, unit, runs, became) => {
    expect(pairChanges(pairsOf(unit, runs)).map((change) => change.became)).toEqual([became]);
  });

  test('a run counts with the median of its rounds', () => {
    const pairs: readonly Pair[] = quiet.map(() => ({
      before: [{ title, rows: [{ name: 'a row', unit: 'ms', figures: { ours: [1, 10, 11] } }] }],
      now: [{ title, rows: [{ name: 'a row', unit: 'ms', figures: { ours: [99, 12, 12] } }] }],
    }));
    expect(pairChanges(pairs)).toMatchObject([{ before: { median: 10 }, now: { median: 12 }, times: { median: 1.2 }, became: 'slower' }]);
  });

  test('a row that one of them lacks, or that is nothing, is left out', () => {
    const [pair] = pairsOf('ms', [[1, 2]]);
    expect(pairChanges([{ before: [], now: pair?.now ?? [] }])).toEqual([]);
    expect(pairChanges(pairsOf('ms', [[0, 2]]))).toEqual([]);
    expect(pairChanges([])).toEqual([]);
  });

  test('is told in a line, and in a table', () => {
    const changes = pairChanges(pairsOf('requests/s', quiet));
    expect(changes.map(changeLineOf)).toEqual(['Polls: a row: 1.0 k → 900 requests/s, 1.12 times (1.09–1.12), noise 0.03']);
    expect(changeTableOf(changes).split('\n').at(-1)).toBe(
      '| Polls: a row, requests/s | 1.0 k | 900 | **1.12** (1.09–1.12) | 0.03 | slower |',
    );
  });
});
