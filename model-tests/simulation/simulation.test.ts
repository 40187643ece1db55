import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runHistory } from './history.ts';
import type { Plan } from './plan.ts';
import { drawPlan } from './plan-drawing.ts';
import { plantedBugs } from './planted-bugs.ts';
import { patience } from '../support/patience.ts';

const kept = new URL('kept/', import.meta.url);
/** A planted bug that hides longer than that is not found. */
const SEEDS_MAX = 500;

describe('a history', () => {
  test('is the same each time that it is run from one seed', async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const first = await runHistory(drawPlan(seed));
      const second = await runHistory(drawPlan(seed));
      expect({ seed, ...second }).toEqual({ seed, ...first });
    }
  });

  test('is the same when it is told', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const silent = await runHistory(drawPlan(seed));
      const told = await runHistory(drawPlan(seed), { isTold: true });
      expect({ seed, hash: told.hash }).toEqual({ seed, hash: silent.hash });
      expect(told.told.length).toBeGreaterThan(10);
    }
  });

  test('is another one for another seed', async () => {
    const hashes = await Promise.all([1, 2, 3, 4].map(async (seed) => (await runHistory(drawPlan(seed))).hash));
    expect(new Set(hashes).size).toBe(4);
  });
});

describe('a plan that failed once holds every rule', () => {
  test.each(readdirSync(kept))('%s', async (name) => {
    // Written by the runner.
    const plan = JSON.parse(readFileSync(new URL(name, kept), 'utf8')) as Plan;
    const { violation, facts } = await runHistory(plan);
    expect(violation).toBeUndefined();
    expect(facts).toBeGreaterThan(0);
  });
});

describe('a planted bug is found', () => {
  test.each(Object.entries(plantedBugs))(
    'that %s',
    async (name, planted) => {
      for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
        const { violation } = await runHistory(drawPlan(seed), { planted });
        if (!violation) continue;
        process.stdout.write(`A bug that ${name} is found by seed ${seed}: ${violation.rule}.\n`);
        return;
      }
      expect.fail(`Not found by ${SEEDS_MAX} seeds.`);
    },
    patience(120_000),
  );
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
