/**
 * Plants every small fault in every chart, one at a time, then those that somebody thought of, and says which its rows by hand found (`npm run mutants`); names of charts choose some,
 * `--names` lists all faults. Fails where one lived that `equivalent-mutants.ts` does not explain, and where one that it explains is found or is no more.
 */
import { allDecisions } from '../../decisions/chart-decisions.ts';
import { plantByHand } from '../faults/planted.ts';
import { phaseGates } from '../phase-gates.ts';
import { plantIn, plantInTable, type Found } from '../survivors.ts';

const names = process.argv.slice(2).filter((each) => !each.startsWith('--'));
const isListing = process.argv.includes('--names');
const isWanted = (chart: string): boolean => names.length === 0 || names.includes(chart);
const columns = (...cells: readonly (string | number)[]): string =>
  cells
    .map((cell, nth) => String(cell).padEnd(nth === 0 ? 15 : 9))
    .join('')
    .trimEnd();

// Faulty charts make XState warn.
console.warn = () => undefined;
console.log(columns('chart', 'planted', 'found', 'alike', 'lived'));
const all: Found[] = [];
for (const decisions of allDecisions) if (isWanted(decisions.machine.id)) all.push(told(plantIn(decisions)));
for (const gate of phaseGates) if (isWanted(gate.table.id)) all.push(told(await plantInTable(gate)));
const charts = all.map(({ chart }) => chart);
console.log(columns('by hand'));
for (const chart of charts) all.push(told(await plantByHand(chart)));
const sum = (count: (found: Found) => number): number => all.reduce((total, found) => total + count(found), 0);
const [planted, lived, unexplained] = [
  sum((found) => found.planted.length),
  sum((found) => found.lived.length),
  sum((found) => found.unexplained.length),
];
console.log(columns('all', planted, planted - lived, lived - unexplained, unexplained));
process.exitCode = all.length === 0 || unexplained + sum(({ outdated }) => outdated.length) > 0 ? 1 : 0;

function told(found: Found): Found {
  const { chart, planted: of, lived: alive, unexplained: strange, outdated } = found;
  console.log(columns(chart, of.length, of.length - alive.length, alive.length - strange.length, strange.length));
  if (isListing) for (const name of of) console.log(`  ${name}`);
  for (const name of strange) console.log(`  lived: ${name}`);
  for (const name of outdated) console.log(`  said to change nothing, and found or no more: ${name}`);
  return found;
}
