import type { TestContext } from 'vitest';
import type { Coverage } from './coverage.ts';

/** `visited` of `there`: what a level can meet. */
export interface Share {
  readonly visited: number;
  readonly there: number;
}

/** What the tests of one level have visited of one chart. */
export interface CoverageRow {
  readonly chart: string;
  readonly level: string;
  readonly states: Share;
  readonly edges: Share;
  readonly refusals: Share;
  /** Drawn in the chart and not to be met at this level; the test of the level gives each its reason. */
  readonly elsewhere: number;
  /** How it was walked, in words. */
  readonly walked: string;
}

/** Of how many edges a row by hand says what comes of them: being walked, an edge is right by its own chart only. */
export interface CheckedRow {
  readonly chart: string;
  /** The level that is held against the rows. */
  readonly level: string;
  readonly edges: Share;
}

declare module 'vitest' {
  interface TaskMeta {
    /** For the table that every run of the tests ends with. */
    coverage?: readonly CoverageRow[];
    /** The same. */
    checked?: readonly CheckedRow[];
  }
}

/** Hands a row to the table of the run. */
export function noteRow({ task }: TestContext, row: CoverageRow): void {
  task.meta.coverage = [...(task.meta.coverage ?? []), row];
}

/** The same for what is held against rows by hand. */
export function noteChecked({ task }: TestContext, row: CheckedRow): void {
  task.meta.checked = [...(task.meta.checked ?? []), row];
}

/** The row of a level that cannot meet what is `elsewhere`. */
export function rowOf(coverage: Coverage, level: string, walked: string, elsewhere: readonly string[] = []): CoverageRow {
  const share = (kind: 'state' | 'edge' | 'refusal'): Share => {
    const { visited, drawn } = coverage.count(kind);
    return { visited, there: drawn - elsewhere.filter((name) => name.startsWith(`${kind} `)).length };
  };
  const { id } = coverage.machine;
  return {
    chart: id,
    level,
    states: share('state'),
    edges: share('edge'),
    refusals: share('refusal'),
    elsewhere: elsewhere.length,
    walked,
  };
}
