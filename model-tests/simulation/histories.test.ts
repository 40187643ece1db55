import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runHistory } from './history.ts';
import type { Decision, Plan } from './plan.ts';
import { generatePlan } from './plan-generator.ts';
import { World } from './world.ts';

const kept = new URL('kept/', import.meta.url);

describe('a history', () => {
  test('is the same each time that it is run from one seed', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const first = await runHistory(generatePlan(seed));
      const second = await runHistory(generatePlan(seed));
      expect({ seed, ...second }).toEqual({ seed, ...first });
    }
  });

  test('is the same when it is told', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
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

  // So many more are run in `simulation.test.ts`.
  test('from any of sixty seeds holds every rule', async () => {
    for (let seed = 101; seed <= 160; seed += 1) {
      const { violation } = await runHistory(generatePlan(seed));
      expect({ seed, violation }).toEqual({ seed, violation: undefined });
    }
  });
});

test('a world whose time stands still ends, and says so', async () => {
  const world = new World(1, false);
  const again = (): void => void world.after(0, world.itself, again);
  again();
  expect(await world.until(() => false, 1_000)).toBe(false);
  expect(world.violation?.rule).toBe('time goes on');
});

/** So many runs that say nothing, and a node that is killed while all of them go on. */
function interrupted(tasks: number, exclusive: boolean): Plan {
  const work = { steps: [{ rest: 40_000 }], repeatable: true };
  const starts = Array.from({ length: tasks }, (_, task): Decision => ({ kind: 'start', at: 500 + task * 20, client: 0, task, work }));
  const { slots: _, ...plan } = generatePlan(1);
  return {
    ...plan,
    nodes: exclusive ? [0] : [0, 0],
    exclusive,
    sizes: { ...plan.sizes, hotTasksMax: 10_000 },
    runsAgainWithinMs: 9_000,
    decisions: [...starts, { kind: 'crash', at: 8_000, node: 0, backMs: 500, silent: true }],
  };
}

test.each([true, false])(
  'what one crash interrupted runs again within seconds, all of it (on a store of one process: %s)',
  async (exclusive) => {
    const { violation, told } = await runHistory(interrupted(40, exclusive), { isTold: true });
    expect(violation).toBeUndefined();
    expect(told.filter((line) => line.includes('loses its power'))).toHaveLength(1);
  },
);

describe('a plan that failed once holds every rule', () => {
  test.each(readdirSync(kept))('%s', async (name) => {
    // Written by the runner.
    const plan = JSON.parse(readFileSync(new URL(name, kept), 'utf8')) as Plan;
    const { violation, facts } = await runHistory(plan);
    expect(violation).toBeUndefined();
    expect(facts).toBeGreaterThan(0);
  });
});
