import { ratios, spreadOf, type Spread } from '../statistics.ts';
import type { Bar, Row } from './row.ts';

/** Whether a bar is reached. */
export interface BarResult {
  readonly bar: Bar;
  /** What is judged: our figures, or what they are beside those of the other one. */
  readonly judged: Spread;
  readonly holds: boolean;
}

/** What the judged figures of a row say. A bar against somebody who was not measured says nothing. */
export function barResultsOf({ figures, bars = [] }: Row): BarResult[] {
  return bars.flatMap((bar) => {
    const [ours, theirs] = [figures.ours, bar.against && figures[bar.against]];
    if (!ours || (bar.against && !theirs)) return [];
    const judged = spreadOf(theirs ? compared(ours, theirs, bar) : ours);
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = bar;
    return [{ bar, judged, holds: judged.median >= atLeast && judged.median <= atMost }];
  });
}

/** What a judged figure is counted in. */
export function unitOf({ unit }: Row, { against, by }: Bar): string {
  if (against === undefined) return unit;
  return by === 'difference' ? `${unit} beyond ${against}` : `× ${against}`;
}

function compared(ours: readonly number[], theirs: readonly number[], { by }: Bar): number[] {
  if (by !== 'difference') return ratios(ours, theirs);
  return ours.slice(0, theirs.length).map((figure, round) => figure - (theirs[round] ?? Number.NaN));
}
