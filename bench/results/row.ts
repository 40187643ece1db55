import type { SystemName } from '../processes/bench-processes.ts';

/** Who has figures: the systems, and our own first row, which the others are compared with. */
export type FigureName = SystemName | 'bareLmdb' | 'bareStart' | 'bareTemporal' | 'first';

/** The figures of each round, by who was measured. */
export type Figures = Partial<Record<FigureName, readonly number[]>>;

/** What has to hold of the median of our figures, or of what they are beside another's. */
export interface Bar {
  /** Whose figures ours are compared with; ours are judged by themselves where nobody is named. */
  readonly against?: FigureName;
  /** Divided by theirs, which is the default, or less theirs. */
  readonly by?: 'ratio' | 'difference';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One line of the results. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly figures: Figures;
  readonly bars?: readonly Bar[];
}

/** Rows that were measured in one way. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}
