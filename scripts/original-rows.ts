import { readFileSync } from 'node:fs';

/** How we stand to a row of the original: as it is, otherwise and on purpose, not at all and on purpose, not yet. */
export const rowStatuses = ['shown', 'differs', 'no', 'missing'] as const;

/** One of {@link rowStatuses}. */
export type RowStatus = (typeof rowStatuses)[number];

/** A test as COVERAGE.md names it: `file > describe > test`, as Vitest prints it. A `*` stands for any text. */
export interface NamedTest {
  readonly file: string;
  readonly titles: readonly string[];
}

/** A row of COVERAGE.md: one thing that the original does. */
export interface OriginalRow {
  /** Section and number: `4.2`. */
  readonly id: string;
  readonly what: string;
  readonly status: RowStatus;
  /** The tests that show ours. */
  readonly tests: readonly NamedTest[];
  /** What stands in the last column beside the tests: a reason. */
  readonly reason: string;
}

/** COVERAGE.md as it was read, with what is wrong with its form. */
export interface OriginalTable {
  readonly rows: readonly OriginalRow[];
  readonly faults: readonly string[];
}

const SECTIONS = 15;
/** A cell ends at a bar that is not escaped. */
const CELL_END = /(?<!\\)\|/;

/** The text of COVERAGE.md. */
export function coverageText(): string {
  return readFileSync(new URL('../COVERAGE.md', import.meta.url), 'utf8');
}

/** Reads the rows of a table, and finds what is wrong with its form. */
export function originalTable(text: string): OriginalTable {
  const rows: OriginalRow[] = [];
  const faults: string[] = [];
  let section = 0;
  let number = 0;
  for (const line of text.split('\n')) {
    const heading = /^## (\d+)\. /.exec(line)?.[1];
    if (heading !== undefined) {
      if (Number(heading) !== section + 1) faults.push(`section ${heading} follows section ${section}`);
      [section, number] = [Number(heading), 0];
    } else if (/^\| *\d/.test(line)) {
      number += 1;
      const cells = line.split(CELL_END).map((cell) => cell.trim().replaceAll('\\|', '|'));
      const [, id = '', what = '', status = '', where = ''] = cells;
      if (id !== `${section}.${number}`) faults.push(`row ${id} stands where ${section}.${number} is due`);
      number = Number(id.split('.')[1]);
      if (cells.length !== 6) faults.push(`row ${id} has ${cells.length - 2} columns, not 4`);
      const read = rowOf(id, what, status, where);
      if (typeof read === 'string') faults.push(read);
      else rows.push(read);
    }
  }
  if (section !== SECTIONS) faults.push(`the last section is ${section}, not ${SECTIONS}`);
  const summary = summaryOf(rows);
  if (!text.includes(`**${summary}**`)) faults.push(`it does not say what it holds: **${summary}**`);
  return { rows, faults };
}

/** How many rows there are, of which status. */
export function summaryOf(rows: readonly OriginalRow[]): string {
  const counts = rowStatuses.map((status) => `${rows.filter((row) => row.status === status).length} ${status}`);
  return `${rows.length} rows: ${counts.join(', ')}`;
}

/** A row, or what is wrong with it. */
function rowOf(id: string, what: string, status: string, where: string): OriginalRow | string {
  const known = rowStatuses.find((one) => one === status);
  if (known === undefined) return `row ${id} has no status: ${rowStatuses.join(', ')}`;
  const tests = testsNamedIn(where);
  const reason = where.replaceAll(/`model-tests\/[^`]+`/g, '').replaceAll(/^[\s;,]+|[\s;,]+$/g, '');
  if (what === '') return `row ${id} does not say what the original does`;
  if (tests.some(({ titles }) => titles.length === 0)) return `row ${id} names a file without a test of it`;
  if (tests.length === 0 && (known === 'shown' || known === 'differs')) return `row ${id} is ${known} and names no test`;
  if (reason === '' && known !== 'shown') return `row ${id} is ${known} and says no reason`;
  if (tests.length > 0 && known === 'no') return `row ${id} is no and names a test`;
  return { id, what, status: known, tests, reason };
}

/** The tests that a text names; those of a whole file have no titles. */
export function testsNamedIn(text: string): NamedTest[] {
  return [...text.matchAll(/`(model-tests\/[^`]+)`/g)].map(([, name = '']) => {
    const [file = '', ...titles] = name.split(' > ');
    return { file, titles };
  });
}

/** A test's name as Vitest prints it. */
export function nameOf({ file, titles }: NamedTest): string {
  return [file, ...titles].join(' > ');
}
