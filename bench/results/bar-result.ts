import { ratios, spreadOf, type Spread } from '../statistics.ts';
import type { Bar, Row } from './row.ts';

/** Whether a bar is reached. */
export interface BarResult {
  readonly bar: Bar;
  readonly ratio: Spread;
  readonly holds: boolean;
}

/** What the judged ratios of a row say. A bar against somebody who was not measured says nothing. */
export function barResultsOf({ figures, bars = [] }: Row): BarResult[] {
  return bars.flatMap((bar) => {
    const theirs = figures[bar.against];
    if (!figures.ours || !theirs) return [];
    const ratio = spreadOf(ratios(figures.ours, theirs));
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = bar;
    return [{ bar, ratio, holds: ratio.median >= atLeast && ratio.median <= atMost }];
  });
}
