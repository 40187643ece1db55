/**
 * Runs the test suite with the Node that runs this, prints what it covered of the charts, and ends with the line `N passed, N failed`. Fails
 * where no test ran, and with `--every-level` where a chart was not walked whole at each of its levels. Other arguments go to Vitest.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoverageRow } from '../model-tests/charts/coverage-row.ts';
import { coverageTable, wanting } from '../model-tests/charts/coverage-table.ts';

interface TestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly meta?: { readonly coverage?: readonly CoverageRow[] } }[];
  }[];
}

const EVERY_LEVEL = '--every-level';
const folder = mkdtempSync(join(tmpdir(), 'taskbridge-tests-'));
const output = join(folder, 'results.json');
console.log(`Tests on Node ${process.versions.node}`);
const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${output}`,
    ...process.argv.slice(2).filter((argument) => argument !== EVERY_LEVEL),
  ],
  { stdio: 'inherit' },
);
const results = readResults();
rmSync(folder, { recursive: true });

const rows = results.testResults.flatMap(({ assertionResults }) => assertionResults.flatMap(({ meta }) => meta?.coverage ?? []));
if (rows.length > 0) console.log(`\n${coverageTable(rows)}\n`);
const wanted = process.argv.includes(EVERY_LEVEL) ? wanting(rows) : [];
for (const what of wanted) console.error(`Coverage of the charts: ${what}.`);
if (results.numPendingTests > 0) console.error(`${results.numPendingTests} tests were skipped: that counts as a failure.`);
console.log(`${results.numPassedTests} passed, ${results.numFailedTests} failed`);
const isGood = run.status === 0 && results.success && results.numPassedTests > 0 && results.numPendingTests === 0 && wanted.length === 0;
process.exitCode = isGood ? 0 : 1;

function readResults(): TestResults {
  try {
    // Written by Vitest's own reporter.
    return JSON.parse(readFileSync(output, 'utf8')) as TestResults;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false, testResults: [] };
  }
}
