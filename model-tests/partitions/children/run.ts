import { faultKinds, type FaultKind } from '../../chaos/checker.ts';
import { cutKinds } from '../cuts.ts';
import { enterOwnNetwork } from '../namespace-network.ts';
import { runPartitions } from '../partition-run.ts';

// `npm run partitions -- --times 30 [--only "node | Redis"] [--seed S] [--clients 24]`: fails on any but zero, and where namespaces cannot be made.
const valueOf = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const times = Number(valueOf('times') ?? 1);
const seed = Number(valueOf('seed') ?? Math.floor(performance.timeOrigin) % 1_000_000);
const clients = Number(valueOf('clients') ?? 24);
const only = valueOf('only')?.split(',');
const kinds = cutKinds.filter((kind) => !only || only.includes(kind));
if (!(times > 0) || !Number.isSafeInteger(seed) || !(clients > 0) || kinds.length === 0) {
  console.error('Usage: npm run partitions -- [--times 30] [--seed <whole number>] [--clients 24] [--only <kinds, by commas>]');
  console.error(`The kinds: ${cutKinds.map((kind) => JSON.stringify(kind)).join(', ')}.`);
  process.exit(2);
}
const outside = await enterOwnNetwork().catch((error: unknown) => {
  console.error(`\nNOT RUN. ${error instanceof Error ? error.message : String(error)}\n`);
  return 3;
});
if (outside !== undefined) process.exit(outside);

console.log(`partitions: each of ${kinds.join(', ')} ${times} times, seed ${seed}, ${clients} clients`);
const report = await runPartitions({ seed, times, kinds, clients, say: (line) => console.log(line) });
const { record, cuts, promotions, lost, counts, outcomes, lines } = report;
const asked = record.creations.reduce((sum, { answered, unknown }) => sum + answered + unknown, 0);
console.log(
  [
    '',
    `seed ${seed}: ${[...cuts].map(([kind, count]) => `${kind} ${count}`).join(', ')}; the replica was promoted ${promotions} times`,
    `given up with their master: ${lost.facts} facts and ${lost.tasks} whole tasks; ${lost.resets} resets told`,
    `${report.tasks} tasks of ${record.creations.length} keys and ${asked} creates, ${record.lives} lives of clients, ${record.cancels} cancels`,
    `${report.appended} facts, ${report.delivered} delivered in ${record.viewings.length} viewings ` +
      `(ws ${record.brought.ws}, sse ${record.brought.sse}, poll ${record.brought.poll} came over the wire)`,
    `${record.actions.length} actions: ${Object.entries(outcomes)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    `everything ended ${(report.settledInMs / 1000).toFixed(1)} s after the last cut`,
    ...(Object.keys(faultKinds) as FaultKind[]).map((kind) => `  ${String(counts[kind]).padStart(6)}  ${kind}: ${faultKinds[kind]}`),
    ...lines.slice(0, 40),
  ].join('\n'),
);
const isClean = Object.values(counts).every((count) => count === 0);
const again = kinds.length < cutKinds.length ? ` --only ${JSON.stringify(kinds.join())}` : '';
if (!isClean) console.error(`\nFailed. The same plan again: npm run partitions -- --times ${times} --seed ${seed}${again}`);
process.exit(isClean ? 0 : 1);
