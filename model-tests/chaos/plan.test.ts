import { expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { faultNames, planDeployments, planFaults } from './faults.ts';
import { generateJob } from './job.ts';

const plan = (seed: number, minutes = 1) => planFaults(seededRandom(seed), minutes * 60_000, { hosts: 2, proxies: 10 });

it('is the same for the same seed, and another for another', () => {
  expect(plan(7)).toEqual(plan(7));
  expect(plan(8)).not.toEqual(plan(7));
  expect(generateJob(seededRandom(7).for('a'))).toEqual(generateJob(seededRandom(7).for('a')));
  expect(generateJob(seededRandom(7).for('b'))).not.toEqual(generateJob(seededRandom(7).for('a')));
});

it('of one minute has every kind of fault', () => {
  for (const seed of [1, 2, 3]) expect([...new Set(plan(seed).map(({ name }) => name))].sort()).toEqual([...faultNames].sort());
});

it('deploys every so often, every second time without grace, and breaks no process by chance meanwhile', () => {
  const faults = planDeployments(seededRandom(7), 60_000, { hosts: 2, proxies: 10, everyMs: 20_000 });
  const deploys = faults.filter(({ name }) => name.startsWith('deploy'));
  expect(deploys.map(({ atMs, name }) => [atMs, name])).toEqual([
    [5_000, 'deploy'],
    [25_000, 'deploy without grace'],
    [45_000, 'deploy'],
  ]);
  expect(faults.filter(({ name }) => /host|Redis/.test(name))).toEqual([]);
  expect(faults.length).toBeGreaterThan(10);
});
