import type { FindingKind } from './finding.ts';
import type { Place } from './records.ts';
import type { Rules } from './rules.ts';
import type { SavedLength } from './work-file.ts';

/** How a person may decide about rows that agree in their key. */
export const answers = ['keep-first', 'keep-last', 'drop-both', 'keep-nth'] as const;
/** How a person may decide about rows that agree in their key. */
export type Answer = (typeof answers)[number];

/** What the job ends with. Everything in it can be computed again from the file, the rules and the answer. */
export type Report = {
  readonly source: { readonly fileName: string; readonly bytes: number };
  readonly rules: Rules;
  readonly rows: {
    readonly read: number;
    readonly kept: number;
    /** Left out because something was wrong with them. */
    readonly bad: number;
    /** Left out because of the answer about duplicates. */
    readonly dropped: number;
  };
  readonly findings: { readonly [kind in FindingKind]: number };
  /** Groups of rows that agree in their key, how many rows they hold, and what was decided about them (null: there were none). */
  readonly duplicates: {
    readonly groups: number;
    readonly rows: number;
    readonly answer: Answer | null;
    /** With `keep-nth`: which row of each group stays, from 1; the last one of a smaller group. */
    readonly place?: number;
    /** With `keep-nth`: why, in the words of whoever answered. */
    readonly note?: string | undefined;
  };
  /** Exact sums over the kept rows, by numeric column. */
  readonly totals: { readonly [column: string]: string };
  /** The cleaned file, by its name among the attachments of the task. */
  readonly cleaned: { readonly name: string; readonly bytes: number; readonly sha256: string };
};

/**
 * Where the job stands at the end of a chunk: small, plain JSON, saved in one commit with what was reported since the last one. A run
 * after a crash goes on from here, and so reports nothing twice and nothing never.
 */
export type State = {
  readonly v: 1;
  readonly phase: 'reading' | 'asking' | 'writing' | 'done';
  readonly rules: Rules;
  /** Up to where the file was dealt with, in this phase. */
  readonly place: Place;
  readonly rows: Report['rows'];
  readonly findings: Report['findings'];
  /** How many findings were told one by one. */
  readonly told: number;
  /** The digests of the keys of all good rows, in their order. */
  readonly keys: SavedLength | null;
  readonly duplicates: Report['duplicates'];
  /** The first keys that occur twice, as hexadecimal digests: shown with the question. */
  readonly samples: readonly string[];
  /** The cleaned file so far. */
  readonly cleaned: SavedLength | null;
  readonly totals: Report['totals'];
  readonly report: Report | null;
};
