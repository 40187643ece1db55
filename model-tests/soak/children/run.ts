import { faultKinds, type FaultKind } from '../../chaos/checker.ts';
import type { HostMeasure } from '../host-measure.ts';
import { runSoak } from '../soak-run.ts';
import { settledSamples, trendOf } from '../trend.ts';

// `npm run soak -- --minutes 60 [--store redis|lmdb] [--seed S] [--clients 12] [--deploy-every <seconds>]`: fails where something was lost, or rises.
const valueOf = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const minutes = Number(valueOf('minutes') ?? 60);
const store = valueOf('store') ?? 'redis';
const seed = Number(valueOf('seed') ?? Date.now() % 1_000_000);
const clients = Number(valueOf('clients') ?? 12);
const deployEvery = Number(valueOf('deploy-every') ?? (store === 'redis' ? 40 : 600));
if (!(minutes > 0) || (store !== 'redis' && store !== 'lmdb') || !Number.isSafeInteger(seed) || !(clients > 0) || !(deployEvery >= 5)) {
  console.error(
    'Usage: npm run soak -- [--minutes 60] [--store redis|lmdb] [--seed <whole number>] [--clients 12] [--deploy-every <seconds, at least 5>]',
  );
  process.exit(2);
}
const MIB = 1024 * 1024;
/** What each may rise by over the second half where a twentieth of it is less: what comes and goes with the people of a minute. */
const risesMin: Readonly<Record<keyof HostMeasure, { readonly min: number; readonly unit: number; readonly name: string }>> = {
  heapBytes: { min: 2 * MIB, unit: MIB, name: 'heap, MiB' },
  rssBytes: { min: 8 * MIB, unit: MIB, name: 'RSS, MiB' },
  descriptors: { min: 6, unit: 1, name: 'descriptors' },
  sockets: { min: 6, unit: 1, name: 'sockets' },
  timers: { min: 20, unit: 1, name: 'timers' },
};
const WARM_UP_MINUTES = 2;

console.log(`soak: ${minutes} min on ${store}, seed ${seed}, ${clients} clients, a deploy every ${deployEvery} s`);
const { counts, lines, looks, totals } = await runSoak({
  seed,
  minutes,
  store,
  clients,
  deployEveryMs: deployEvery * 1000,
  say: (line) => console.log(line),
});

console.log(
  `\n${totals.tasks} tasks of ${totals.owners} owners, ${totals.lives} lives of clients, ${totals.deploys} deploys; ` +
    `${totals.appended} facts, ${totals.delivered} delivered; ${totals.actions} actions`,
);
for (const kind of Object.keys(faultKinds) as FaultKind[])
  console.log(`  ${String(counts[kind]).padStart(6)}  ${kind}: ${faultKinds[kind]}`);
for (const line of lines.slice(0, 40)) console.log(line);
console.log('\nThe second half, by least squares:');
let rises = 0;
for (const name of Object.keys(looks) as (keyof HostMeasure)[]) {
  const { min, unit, name: text } = risesMin[name];
  const trend = trendOf(settledSamples(looks[name], WARM_UP_MINUTES), min);
  if (!trend) {
    console.log(`  ${text}: too few looks to say anything`);
    continue;
  }
  const { mean, perHour, perHourError, rise, riseMax, isFlat } = trend;
  if (!isFlat) rises += 1;
  const show = (value: number): string => (value / unit).toFixed(2);
  console.log(
    `  ${text}: ${show(mean)} on average, ${show(perHour)} an hour (± ${show(perHourError)}), ${show(rise)} over the time (at most ${show(riseMax)}): ` +
      (isFlat ? 'flat' : 'NOT FLAT'),
  );
}
const wrong = Object.values(counts).reduce((sum, count) => sum + count, 0);
if (wrong > 0 || rises > 0) console.error(`\nFailed: ${wrong} wrong, ${rises} that rise.`);
process.exit(wrong > 0 || rises > 0 ? 1 : 0);
