import { runChaos } from '../chaos-run.ts';
import { printReport } from '../report.ts';

// `npm run chaos -- --minutes 10 [--seed S] [--clients 50] [--deploy-every <seconds>]`: fails on any but zero.
const valueOf = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const minutes = Number(valueOf('minutes') ?? 1);
const seed = Number(valueOf('seed') ?? Date.now() % 1_000_000);
const clients = Number(valueOf('clients') ?? 50);
const deployEvery = valueOf('deploy-every');
const deployEveryMs = deployEvery === undefined ? undefined : Number(deployEvery) * 1000;
if (!(minutes > 0) || !Number.isSafeInteger(seed) || !(clients > 0) || (deployEveryMs !== undefined && !(deployEveryMs >= 1000))) {
  console.error('Usage: npm run chaos -- [--minutes 1] [--seed <whole number>] [--clients 50] [--deploy-every <seconds, at least 1>]');
  process.exit(2);
}
console.log(`chaos: ${minutes} min, seed ${seed}, ${clients} clients`);
const report = await runChaos({
  seed,
  runMs: minutes * 60_000,
  clients,
  ...(deployEveryMs !== undefined && { deployEveryMs }),
  say: (line) => console.log(line),
});
console.log(printReport(report));
const isClean = Object.values(report.counts).every((count) => count === 0);
if (!isClean)
  console.error(
    `\nFailed. The same plan again: npm run chaos -- --minutes ${minutes} --seed ${seed}${deployEvery === undefined ? '' : ` --deploy-every ${deployEvery}`}`,
  );
process.exit(isClean ? 0 : 1);
