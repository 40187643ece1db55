import { expect, it } from 'vitest';
import { faultKinds } from '../chaos/checker.ts';
import { patience } from '../support/patience.ts';
import { runSoak } from './soak-run.ts';

const COHORT_MS = 4000;

// The slopes of an hour are for an hour: see `npm run soak`.
it(
  'a soak of two cohorts on LMDB, with a deploy in between, loses nothing and looks at its host',
  { timeout: patience(300_000) },
  async () => {
    const said: string[] = [];
    const report = await runSoak({
      seed: 3,
      minutes: (2 * COHORT_MS) / 60_000,
      store: 'lmdb',
      clients: 6,
      deployEveryMs: COHORT_MS - 1000,
      cohortMs: COHORT_MS,
      say: (line) => said.push(line),
    });
    const nothing = Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0]));
    expect(report.counts, [...said, ...report.lines].join('\n')).toEqual(nothing);
    expect(report.totals.deploys).toBeGreaterThan(0);
    for (const count of [report.totals.tasks, report.totals.delivered, report.totals.actions]) expect(count).toBeGreaterThan(0);
    for (const looks of Object.values(report.looks)) {
      expect(looks).toHaveLength(said.length);
      expect(looks.every(({ value }) => value > 0)).toBe(true);
    }
  },
);
