/**
 * Runs the test suite with the Node that runs this, and ends with the line `N passed, N failed`. Fails where no test ran. Arguments go to
 * Vitest.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

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
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
const results = readResults();
rmSync(folder, { recursive: true });

if (results.numPendingTests > 0) console.error(`${results.numPendingTests} tests were skipped: that counts as a failure.`);
console.log(`${results.numPassedTests} passed, ${results.numFailedTests} failed`);
const isGood = run.status === 0 && results.success && results.numPassedTests > 0 && results.numPendingTests === 0;
process.exitCode = isGood ? 0 : 1;

function readResults(): TestResults {
  try {
    // Written by Vitest's own reporter.
    return JSON.parse(readFileSync(output, 'utf8')) as TestResults;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false };
  }
}
