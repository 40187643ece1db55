/**
 * Checks parts of the project, one after the other, those that wait two at a time and last: `tsx scripts/check.ts quick`, `… check` (quick and main), `… all`, or any of `parts.ts`.
 * Says what it is at and how long each part took beside its budget, and ends with what failed and the line `N passed, N failed`: tests, and
 * one for each step that failed. Arguments after `--` go to Vitest.
 */
import { sumOf, type Outcome } from './outcome.ts';
import { checkPart } from './part-check.ts';
import { parts, tiers, type PartName } from './parts.ts';
import { childrenProcessorMs } from './processor-time.ts';
import { progressOf } from './progress.ts';

/** So many parts that wait run at once. */
const LANES = 2;
/** So many failures are told once more at the end. */
const FAILURES_SHOWN = 30;

interface Done extends Outcome {
  readonly name: PartName;
  readonly minutes: number;
  /** How many cores were at work on average. */
  readonly cores: number;
}

const args = process.argv.slice(2);
const named = args.flatMap((name) => (name in tiers ? tiers[name as keyof typeof tiers] : name in parts ? [name as PartName] : []));
const forVitest = args.filter((argument) => !(argument in tiers) && !(argument in parts) && argument !== '--');
const chosen = named.length > 0 ? named : tiers.check;

const progress = progressOf(chosen);
const done: Done[] = [];
const waiting = chosen.length > 1 ? chosen.filter((name) => parts[name].isWaiting) : [];
for (const name of chosen.filter((one) => !waiting.includes(one))) await check(name);
const lane = async (): Promise<void> => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await check(name, `${name}: `);
};
await Promise.all(Array.from({ length: LANES }, lane));

console.log(`\n${done.map(line).join('\n')}`);
const { passed, failed } = sumOf(done);
// Once more at the end: what a part said of its own is far above by now, and gone where only the end of an output is kept.
const failures = done.flatMap((part) => part.failures.map((failure) => `${part.name}: ${failure}`));
if (failures.length > 0) console.log(`\nWhat failed:\n${failures.slice(0, FAILURES_SHOWN).join('\n')}`);
if (failures.length > FAILURES_SHOWN) console.log(`… and ${failures.length - FAILURES_SHOWN} more`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function check(name: PartName, prefix?: string): Promise<void> {
  const { proves, budgetMinutes } = parts[name];
  console.log(`\n${name}: ${proves} (budget: ${budgetMinutes} min)`);
  const [startedAt, spentBefore] = [performance.now(), childrenProcessorMs()];
  const outcome = await checkPart(name, { progress, forVitest, ...(prefix !== undefined && { prefix }) });
  const ms = performance.now() - startedAt;
  // Of two that run at once nobody knows which took what.
  const cores = prefix === undefined ? (childrenProcessorMs() - spentBefore) / ms : Number.NaN;
  done.push({ name, minutes: ms / 60_000, cores, ...outcome });
}

function line({ name, minutes, cores, ...outcome }: Done): string {
  const { budgetMinutes } = parts[name];
  const over = minutes > budgetMinutes ? '  over its budget (a busy machine, or a part that grew)' : '';
  const time = `${minutes.toFixed(1)} of ${budgetMinutes} min`;
  const used = Number.isNaN(cores) ? '' : `  ${cores.toFixed(1)} cores`;
  return `${name.padEnd(12)}${time.padStart(16)}${used}  ${outcome.passed} passed, ${outcome.failed} failed${over}`;
}
