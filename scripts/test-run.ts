/**
 * Runs the tests of parts (`tsx scripts/test-run.ts levels kills`; see `parts.ts`) with the Node that runs this, prints what they covered of
 * the charts, and ends with the line `N passed, N failed`. Fails where no test ran, where one was skipped, where a chart was not walked
 * whole at each level of the parts or not held against its rows, and where a test that COVERAGE.md names did not pass. Arguments after `--` go to Vitest; with a filter among them the levels are not asked for.
 * `TEST_OUTCOME` names a file that gets the counts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { CheckedRow, CoverageRow } from '../model-tests/charts/coverage-row.ts';
import { coverageTable, unchecked, wanting } from '../model-tests/charts/coverage-table.ts';
import { runFaults, type TestResult } from './original-coverage.ts';
import { coverageText, originalTable } from './original-rows.ts';
import type { Outcome } from './outcome.ts';
import { parts, testsOf, tiers, type PartName } from './parts.ts';

interface TestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** Why a file could not be run. */
    readonly message?: string;
    readonly assertionResults: readonly (TestResult & {
      readonly fullName: string;
      readonly failureMessages: readonly string[];
      readonly meta?: { readonly coverage?: readonly CoverageRow[]; readonly checked?: readonly CheckedRow[] };
    })[];
  }[];
}

const args = process.argv.slice(2);
const isOfParts = (argument: string): argument is PartName => argument in parts;
const named = args.filter(isOfParts);
const forVitest = args.filter((argument) => !isOfParts(argument) && argument !== '--');
const chosen = named.length > 0 ? named : tiers.all.filter((name) => parts[name].again.length === 0);
const tests = chosen.flatMap(testsOf);

const folder = mkdtempSync(join(tmpdir(), 'taskbridge-tests-'));
const output = join(folder, 'results.json');
console.log(`Tests of ${chosen.join(', ')}: ${tests.length} files on Node ${process.versions.node}`);
const reporters = ['default', './scripts/progress-reporter.ts', 'json'];
const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...reporters.map((name) => `--reporter=${name}`),
    `--outputFile.json=${output}`,
    ...forVitest,
    ...tests,
  ],
  { stdio: 'inherit' },
);
const results = readResults();
rmSync(folder, { recursive: true });

const metas = results.testResults.flatMap(({ assertionResults }) => assertionResults.flatMap(({ meta }) => meta ?? []));
const rows = metas.flatMap(({ coverage = [] }) => coverage);
const checked = metas.flatMap((meta) => meta.checked ?? []);
if (rows.length > 0) console.log(`\n${coverageTable(rows, checked)}\n`);
const levels = chosen.flatMap((name) => parts[name].walks);
const wanted = forVitest.length > 0 ? [] : [...wanting(rows, levels), ...unchecked(checked, levels)];
for (const what of wanted) console.error(`Coverage of the charts: ${what}.`);
const unshown = forVitest.length > 0 ? [] : runFaults(originalTable(coverageText()), results.testResults);
for (const what of unshown) console.error(`COVERAGE.md: ${what}.`);
if (results.numPendingTests > 0 && forVitest.length === 0)
  console.error(`${results.numPendingTests} tests were skipped: that counts as a failure.`);
const outcome = judged();
if (process.env['TEST_OUTCOME']) writeFileSync(process.env['TEST_OUTCOME'], JSON.stringify(outcome));
console.log(`${outcome.passed} passed, ${outcome.failed} failed`);
process.exitCode = outcome.failed > 0 ? 1 : 0;

/** What ran and what did not hold. A file that could not be run, a skipped test, a level that was not walked and a row that was not shown are failures too. */
function judged(): Outcome {
  const { numPassedTests: passed, numFailedTests, numPendingTests, testResults } = results;
  const skipped = forVitest.length > 0 ? 0 : numPendingTests;
  const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0).length;
  const failed = numFailedTests + skipped + broken + wanted.length + unshown.length;
  const isGood = run.status === 0 && results.success && passed > 0;
  return { passed, failed: isGood ? failed : Math.max(failed, 1), failures: [...failuresOf(results), ...wanted, ...unshown] };
}

/** The tests and files that failed, a line each. */
function failuresOf({ testResults }: TestResults): string[] {
  return testResults.flatMap(({ name, status, message = '', assertionResults }) => {
    const file = relative(process.cwd(), name);
    if (status === 'failed' && assertionResults.length === 0) return [`${file}: ${firstLine(message)}`];
    const failed = assertionResults.filter((test) => test.status === 'failed');
    return failed.map(({ fullName, failureMessages: [why = ''] }) => `${file}: ${fullName}: ${firstLine(why)}`);
  });
}

/** As much of an error as a list of failures has room for. */
function firstLine(text: string): string {
  return text.trimStart().split('\n', 1).join('').slice(0, 200);
}

function readResults(): TestResults {
  try {
    // Written by Vitest's own reporter.
    return JSON.parse(readFileSync(output, 'utf8')) as TestResults;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false, testResults: [] };
  }
}
