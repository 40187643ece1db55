import { expect, it } from 'vitest';
import { runChaos } from './chaos-run.ts';
import { faultNames } from './faults.ts';
import { printReport } from './report.ts';
import { faultKinds } from './checker.ts';
import { patience } from '../support/patience.ts';

/** `SECONDS=600 SEED=7 npx vitest run model-tests/chaos/chaos` for another run; `npm run chaos` says more while it runs. */
const SECONDS = Number(process.env['SECONDS'] ?? 60);
const SEED = Number(process.env['SEED'] ?? 20);

/** How often the hosts are deployed in the other run, in seconds; `npm run chaos -- --minutes 10 --deploy-every 20` is the long one. */
const DEPLOY_SECONDS = 8;

it(
  `loses no work and runs none twice while its hosts are deployed every ${DEPLOY_SECONDS} s (SEED=${SEED})`,
  { timeout: SECONDS * 1000 + patience(300_000) },
  async () => {
    const said: string[] = [];
    const report = await runChaos({
      seed: SEED,
      runMs: (SECONDS * 1000) / 2,
      deployEveryMs: DEPLOY_SECONDS * 1000,
      clients: 30,
      settleMs: patience(120_000),
      say: (line) => said.push(line),
    });
    const nothing = Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0]));
    expect(report.counts, [...said, printReport(report)].join('\n')).toEqual(nothing);
    // How many there are, and of which kind, depends on how fast a host starts here.
    expect((report.faults.get('deploy') ?? 0) + (report.faults.get('deploy without grace') ?? 0)).toBeGreaterThan(0);
    expect(report.record.creations.some(({ input }) => !input.repeatable)).toBe(true);
  },
);

it(
  `loses, doubles and reorders nothing in ${SECONDS} s of chaos (SEED=${SEED})`,
  { timeout: SECONDS * 1000 + patience(300_000) },
  async () => {
    const said: string[] = [];
    const report = await runChaos({ seed: SEED, runMs: SECONDS * 1000, settleMs: patience(120_000), say: (line) => said.push(line) });
    const nothing = Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0]));
    // What happened, in the order in which it did, is what a failure is read from.
    expect(report.counts, [...said, printReport(report)].join('\n')).toEqual(nothing);
    // And that something happened.
    expect([...report.faults.keys()].every((name) => faultNames.includes(name))).toBe(true);
    expect(report.faults.size, printReport(report)).toBeGreaterThanOrEqual(Math.min(faultNames.length - 4, SECONDS / 6));
    for (const transport of ['ws', 'sse', 'poll'] as const) expect(report.record.brought[transport]).toBeGreaterThan(0);
    expect(report.outcomes['ACCEPTED']).toBeGreaterThan(0);
    expect(report.outcomes['REJECTED_ALREADY_RESOLVED']).toBeGreaterThan(0);
    // Each owner's once at the end, and some before.
    expect(report.record.lists.walked).toBeGreaterThan(5);
  },
);
