import { fuzz } from '../fuzz-run.ts';

// `npm run fuzz -- --minutes 10 --seed 1`: every door of a host, by a grammar of each; prints what no client should meet, and fails where there is any.
const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const minutes = option('minutes', 10);
const seed = option('seed', 1);
console.log(`Fuzzing every door for ${minutes} min (seed ${seed})`);
const { findings, sent, answers, plain, stats } = await fuzz(minutes * 60, seed);
for (const finding of findings) console.log(JSON.stringify(finding));
console.log(`As the grammar has it: ${JSON.stringify(plain)}`);
console.log(`${sent} sent: ${JSON.stringify(answers)}`);
console.log(`Left: ${stats.connections} connections, ${stats.viewers} viewers, ${Math.round(stats.rssBytes / 2 ** 20)} MiB`);
console.log(`${findings.length} findings`);
process.exitCode = findings.length > 0 || stats.isPolluted ? 1 : 0;
