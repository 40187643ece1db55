/**
 * Checks COVERAGE.md, which says of each thing that the original does which test shows ours: its form, and that every test that it names is
 * there. `tsx scripts/original-coverage.ts`, or `npm run coverage:original`, prints how many rows are shown, and which are still missing;
 * with the JSON results of Vitest runs as arguments also that each named test of the files that ran has passed. `test-run.ts` asks the same.
 */
import { readFileSync } from 'node:fs';
import { posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { coverageText, nameOf, originalTable, summaryOf, type NamedTest, type OriginalTable } from './original-rows.ts';
import { mayHaveTitle, titleSourceOf } from './test-titles.ts';

/** What of a test in Vitest's JSON results is looked at. */
export interface TestResult {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

/** The tests of one file, as they ran. */
export interface RunFile {
  readonly name: string;
  readonly assertionResults: readonly TestResult[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is wrong with the form of a table, and which tests that it names cannot be. */
export function standingFaults({ rows, faults }: OriginalTable): string[] {
  const dead = rows.flatMap(({ id, tests }) => missingTests(tests).map((why) => `row ${id}: ${why}`));
  return [...faults, ...dead];
}

/** Which of some tests cannot be, and why. */
export function missingTests(tests: readonly NamedTest[]): string[] {
  return tests.flatMap(deadness);
}

function deadness(test: NamedTest): string[] {
  const source = test.file.endsWith('.test.ts') ? titleSourceOf(root, test.file) : undefined;
  if (!source) return [`there is no test file ${test.file}`];
  return test.titles.filter((title) => !mayHaveTitle(source, title)).map((title) => `${test.file} has no test or group "${title}"`);
}

/** Which tests that a table names did not pass, of the files that ran. Names of files may be absolute. */
export function runFaults({ rows }: OriginalTable, ran: readonly RunFile[]): string[] {
  const files = new Map(ran.map((file) => [pathOf(file.name), file.assertionResults]));
  return rows.flatMap(({ id, tests }) =>
    tests.flatMap((test) => {
      const results = files.get(test.file);
      if (!results) return [];
      const found = results.filter(({ ancestorTitles, title }) => isNamed(test, [...ancestorTitles, title]));
      if (found.length === 0) return [`row ${id}: ${nameOf(test)} did not run`];
      return found.every(({ status }) => status === 'passed') ? [] : [`row ${id}: ${nameOf(test)} did not pass`];
    }),
  );
}

/** A name may be that of a group: then all of its tests are meant. */
function isNamed({ titles }: NamedTest, of: readonly string[]): boolean {
  return titles.length <= of.length && titles.every((title, i) => matches(title, of[i] ?? ''));
}

/** Vitest prints what `$name` stands for in quotes, and cuts it short: then the pattern has only to begin and end as it does. */
function matches(pattern: string, printed: string): boolean {
  const [wanted, title] = [pattern, printed].map((text) => text.replaceAll(/\\?'/g, '')) as [string, string];
  return withGaps(wanted, '*').test(title) || (title.includes('…') && withGaps(title, '…').test(wanted));
}

function withGaps(text: string, gap: string): RegExp {
  const literals = text.split(gap).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`, 's');
}

function pathOf(name: string): string {
  return posix.isAbsolute(name) || name.includes(sep) ? relative(root, posix.resolve(root, name)).split(sep).join('/') : name;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = originalTable(coverageText());
  // Written by Vitest's own reporter.
  const ran = process.argv.slice(2).flatMap((name) => (JSON.parse(readFileSync(name, 'utf8')) as { testResults: RunFile[] }).testResults);
  const faults = [...standingFaults(table), ...runFaults(table, ran)];
  for (const { id, what, reason } of table.rows.filter(({ status }) => status === 'missing')) console.log(`${id} ${what}: ${reason}`);
  for (const fault of faults) console.error(`COVERAGE.md: ${fault}.`);
  console.log(summaryOf(table.rows));
  process.exitCode = faults.length > 0 ? 1 : 0;
}
