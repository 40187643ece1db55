import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runHistory } from './history.ts';
import type { Plan } from './plan.ts';
import { generatePlan } from './plan-generator.ts';

const kept = new URL('kept/', import.meta.url);

describe('a history', () => {
  test('is the same each time that it is run from one seed', async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const first = await runHistory(generatePlan(seed));
      const second = await runHistory(generatePlan(seed));
      expect({ seed, ...second }).toEqual({ seed, ...first });
    }
  });

  test('is the same when it is told', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const silent = await runHistory(generatePlan(seed));
      const told = await runHistory(generatePlan(seed), { isTold: true });
      expect({ seed, hash: told.hash }).toEqual({ seed, hash: silent.hash });
      expect(told.told.length).toBeGreaterThan(10);
    }
  });

  test('is another one for another seed', async () => {
    const hashes = await Promise.all([1, 2, 3, 4].map(async (seed) => (await runHistory(generatePlan(seed))).hash));
    expect(new Set(hashes).size).toBe(4);
  });

  test.each([101, 151])('from any of the fifty seeds from %i on holds every rule', async (from) => {
    for (let seed = from; seed < from + 50; seed += 1) {
      const { violation } = await runHistory(generatePlan(seed));
      expect({ seed, violation }).toEqual({ seed, violation: undefined });
    }
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
