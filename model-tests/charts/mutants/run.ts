/**
 * Plants every small fault in every chart that has a table of decisions, and says which the tables found (`npm run mutants`); names of charts
 * choose some, `--names` lists all faults. Fails where one lived that `alike.ts` does not explain.
 */
import { allDecisions } from '../decisions/all-decisions.ts';
import { plantIn } from './survivors.ts';

const [names, flags] = [
  process.argv.slice(2).filter((each) => !each.startsWith('--')),
  process.argv.filter((each) => each.startsWith('--')),
];
const chosen = allDecisions.filter(({ machine }) => names.length === 0 || names.includes(machine.id));
const columns = (...cells: readonly (string | number)[]): string =>
  cells.map((cell, nth) => String(cell).padEnd(nth === 0 ? 12 : 9)).join('');

// Faulty charts make XState warn.
console.warn = () => undefined;
console.log(columns('chart', 'planted', 'found', 'alike', 'lived'));
let failed = 0;
for (const decisions of chosen) {
  const { chart, planted, lived, unexplained, outdated } = plantIn(decisions);
  console.log(columns(chart, planted.length, planted.length - lived.length, lived.length - unexplained.length, unexplained.length));
  if (flags.includes('--names')) for (const name of planted) console.log(`  ${name}`);
  for (const name of unexplained) console.log(`  lived: ${name}`);
  for (const name of outdated) console.log(`  said to change nothing, and found or never planted: ${name}`);
  failed += unexplained.length + outdated.length;
}
process.exitCode = failed > 0 ? 1 : 0;
