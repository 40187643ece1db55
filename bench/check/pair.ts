import { readable } from '../results/markdown.ts';
import type { Row, Section } from '../results/row.ts';
import { ratios, spreadOf, type Spread } from '../statistics.ts';

/** The same measurements, taken one after the other: at the other commit, and here. */
export interface Pair {
  readonly before: readonly Section[];
  readonly now: readonly Section[];
}

/** What became of one row. */
export interface PairChange {
  readonly title: string;
  readonly name: string;
  readonly unit: string;
  readonly before: Spread;
  readonly now: Spread;
  /** By how much less there is for the same, in each pair: 1.1 for a tenth slower, or larger. */
  readonly times: Spread;
  /** So far from 1 a median may be by chance. */
  readonly noise: number;
  readonly became: 'slower' | 'faster' | 'neither';
}

/** A row is told of from here on, however quiet the machine is. */
const TOLD_FROM = 0.03;
/** Of so many pairs one may say the contrary. */
const EXCEPTION_FROM = 7;

/**
 * What became of each row that both have, in the order of the first pair. Slower, or faster, is what nearly every pair says, and by more than
 * twice as much as the pairs differ from each other (their median absolute deviation).
 */
export function pairChanges(pairs: readonly Pair[]): readonly PairChange[] {
  const [first] = pairs;
  return (first?.now ?? []).flatMap(({ title, rows }) =>
    rows.flatMap(({ name, unit }) => {
      const figuresOf = (of: 'before' | 'now') => pairs.map((pair) => figureOf(pair[of], title, name, unit));
      const change = changeOf(figuresOf('before'), figuresOf('now'), unit);
      return change ? [{ title, name, unit, ...change }] : [];
    }),
  );
}

type Change = Omit<PairChange, 'title' | 'name' | 'unit'>;

function changeOf(before: readonly (number | undefined)[], now: readonly (number | undefined)[], unit: string): Change | undefined {
  if (!isWhole(before) || !isWhole(now)) return undefined;
  // More a second is faster; of all else, less.
  const times = /\/s$| a second\b/.test(unit) ? ratios(before, now) : ratios(now, before);
  if (!times.every(Number.isFinite)) return undefined;
  const spread = spreadOf(times);
  const noise = Math.max(TOLD_FROM, 2 * spreadOf(times.map((each) => Math.abs(each - spread.median))).median);
  const wanted = times.length - (times.length >= EXCEPTION_FROM ? 1 : 0);
  const isSaid = (says: (each: number) => boolean) => says(spread.median) && times.filter(says).length >= wanted;
  const isFar = Math.abs(spread.median - 1) > noise;
  const became = isFar && isSaid((each) => each > 1) ? 'slower' : isFar && isSaid((each) => each < 1) ? 'faster' : 'neither';
  return { before: spreadOf(before), now: spreadOf(now), times: spread, noise, became };
}

function isWhole(figures: readonly (number | undefined)[]): figures is readonly number[] {
  return figures.length > 0 && !figures.includes(undefined);
}

/** The median of a run's rounds. */
function figureOf(sections: readonly Section[], title: string, name: string, unit: string): number | undefined {
  const isIt = (row: Row): boolean => row.name === name && row.unit === unit;
  const figures = sections.find((section) => section.title === title)?.rows.find(isIt)?.figures.ours;
  return figures && figures.length > 0 ? spreadOf(figures).median : undefined;
}

/** A change in a line. */
export function changeLineOf({ title, name, unit, before, now, times, noise }: PairChange): string {
  const medians = `${readable(before.median)} → ${readable(now.median)} ${unit}`;
  return `${title}: ${name}: ${medians}, ${readable(times.median)} times (${readable(times.min)}–${readable(times.max)}), noise ${readable(noise)}`;
}

/** All of them as a table of Markdown. */
export function changeTableOf(changes: readonly PairChange[]): string {
  const lines = changes.map(
    ({ title, name, unit, before, now, times, noise, became }) =>
      `| ${title}: ${name}, ${unit} | ${readable(before.median)} | ${readable(now.median)} | **${readable(times.median)}** ` +
      `(${readable(times.min)}–${readable(times.max)}) | ${readable(noise)} | ${became === 'neither' ? '' : became} |`,
  );
  return ['|  | before | now | times slower | noise |  |', '| --- | ---: | ---: | ---: | ---: | --- |', ...lines].join('\n');
}
