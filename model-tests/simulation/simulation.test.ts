import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runHistory } from './history.ts';
import { generatePlan } from './plan-generator.ts';
import { plantedBugs } from './planted-bugs.ts';
import { patience } from '../support/patience.ts';

/** A planted bug that hides longer than that is not found. */
const SEEDS_MAX = 500;

describe('a planted bug is found', () => {
  test.each(Object.entries(plantedBugs))(
    'that %s',
    async (name, planted) => {
      for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
        const { violation } = await runHistory(generatePlan(seed), { planted });
        if (!violation) continue;
        // A bug that only throws was planted badly: that is found whatever it was meant to do.
        expect(violation.rule).not.toBe('no errors are logged');
        process.stdout.write(`A bug that ${name} is found by seed ${seed}: ${violation.rule}.\n`);
        return;
      }
      expect.fail(`Not found by ${SEEDS_MAX} seeds.`);
    },
    patience(120_000),
  );
});

test('a history is the same each time that it is run from one seed', { timeout: patience(120_000) }, async () => {
  for (let seed = 13; seed <= 25; seed += 1) {
    const first = await runHistory(generatePlan(seed));
    const second = await runHistory(generatePlan(seed));
    expect({ seed, ...second }).toEqual({ seed, ...first });
  }
});

test('2000 seeds hold every rule', { timeout: patience(600_000) }, async () => {
  const run = fileURLToPath(new URL('run.ts', import.meta.url));
  // Without a channel to it: with one it takes itself for one of the workers.
  const child = spawn(process.execPath, ['--import', 'tsx', run, '--seeds', '2000', '--cores', '2']);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  expect(code, said).toBe(0);
  expect(said).toContain('2000 of 2000 seeds');
});
