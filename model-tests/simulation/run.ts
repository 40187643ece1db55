/**
 * Runs histories: `npm run sim -- --seeds 100000 [--from 1] [--cores 2]`; the first that fails is shrunk and told. One of them, told:
 * `--seed 17`. One of a file: `--replay model-tests/simulation/kept/name.json`. `--keep name` shrinks what fails first and keeps it for ever.
 */
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { runHistory, type Outcome } from './history.ts';
import type { Plan } from './plan.ts';
import { generatePlan } from './plan-generator.ts';
import { shrink } from './shrink.ts';

/** What a run of many seeds found. */
interface Tally {
  seeds: number;
  steps: number;
  facts: number;
  lastedMs: number;
  readonly failed: { readonly seed: number; readonly rule: string; readonly message: string }[];
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    cores: { type: 'string', default: '1' },
    stride: { type: 'string', default: '1' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    keep: { type: 'string' },
  },
});
let current = 0;
process.on('unhandledRejection', (error) => {
  say(`Seed ${current}: a rejection that nobody handled. ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(1);
});

if (values.replay !== undefined) await tell(JSON.parse(readFileSync(values.replay, 'utf8')) as Plan);
else if (values.seed !== undefined) await tell(generatePlan(Number(values.seed)));
else if (process.send) await work(Number(values.from), Number(values.seeds), Number(values.stride));
else await manage(Number(values.from), Number(values.seeds), Number(values.cores));

/** One history, line by line. */
async function tell(plan: Plan): Promise<void> {
  const outcome = await runHistory(plan, { isTold: true });
  for (const line of outcome.told) say(line);
  const { violation } = outcome;
  say(`\n${outcome.facts} facts, ${outcome.steps} steps, ${(outcome.lastedMs / 1000).toFixed(1)} s of the world, hash ${outcome.hash}`);
  say(violation ? `Broken: ${violation.rule}. ${violation.message}` : 'Every rule holds.');
  if (violation) process.exitCode = 1;
  if (violation && values.keep !== undefined) await keep(plan, violation.rule, values.keep);
}

/** Shrinks a plan that fails and writes it to where the tests find it. */
async function keep(plan: Plan, rule: string, name: string): Promise<void> {
  const shrunk = await shrink(plan, rule);
  const path = fileURLToPath(new URL(`kept/${name}.json`, import.meta.url));
  const text = JSON.stringify({ ...shrunk.plan, broke: rule });
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), parser: 'json' }));
  say(`Kept ${shrunk.plan.decisions.length} of ${plan.decisions.length} decisions after ${shrunk.tries} tries: ${path}`);
}

/** What is left of a seed's history when all that its violation does not need is left out. */
async function showShrunk(seed: number): Promise<void> {
  const plan = generatePlan(seed);
  const { violation } = await runHistory(plan);
  if (violation) {
    const shrunk = await shrink(plan, violation.rule);
    say(`\nSeed ${seed} with ${shrunk.plan.decisions.length} of its ${plan.decisions.length} decisions:\n`);
    await tell(shrunk.plan);
  }
  say(`\nThe whole of it: npm run sim -- --seed ${seed}. To keep it for the tests: npm run sim -- --seed ${seed} --keep some-name`);
}

/** Every `stride`th seed, in this process. Tells the parent. */
async function work(from: number, seeds: number, stride: number): Promise<void> {
  let tally = emptyTally();
  let toldAt = performance.now();
  // Nobody reads them here: whoever wants to know replays the seed.
  Error.stackTraceLimit = 0;
  const report = (): void => {
    process.send?.(tally);
    tally = emptyTally();
    toldAt = performance.now();
  };
  for (let seed = from; seed < from + seeds; seed += stride) {
    current = seed;
    try {
      add(tally, seed, await runHistory(generatePlan(seed)));
    } catch (error) {
      tally.seeds += 1;
      tally.failed.push({ seed, rule: 'the history runs', message: String(error) });
    }
    if (performance.now() - toldAt > 1_000) report();
  }
  report();
  process.disconnect();
}

/** Spreads the seeds over child processes, so that a rejection that nobody handles ends one of them and is seen. */
async function manage(from: number, seeds: number, cores: number): Promise<void> {
  const total = emptyTally();
  const begun = performance.now();
  let saidAt = begun;
  const ends = Array.from({ length: cores }, (_, core) => {
    const args = ['--from', String(from + core), '--seeds', String(seeds - core), '--stride', String(cores)];
    // Young garbage is most of what a history leaves.
    const child = fork(fileURLToPath(import.meta.url), args, { execArgv: [...process.execArgv, '--max-semi-space-size=64'] });
    child.on('message', (message) => {
      // Sent by `work` above.
      const tally = message as Tally;
      total.seeds += tally.seeds;
      total.steps += tally.steps;
      total.facts += tally.facts;
      total.lastedMs += tally.lastedMs;
      total.failed.push(...tally.failed);
      for (const { seed, rule, message: text } of tally.failed) say(`Seed ${seed}: ${rule}. ${text.slice(0, 300)}`);
      if (performance.now() - saidAt < 5_000) return;
      saidAt = performance.now();
      say(summary(total, seeds, saidAt - begun));
    });
    return new Promise<number | null>((resolve) => child.on('exit', resolve));
  });
  const codes = await Promise.all(ends);
  say(summary(total, seeds, performance.now() - begun));
  const rules = new Map<string, number[]>();
  for (const { seed, rule } of total.failed) rules.set(rule, [...(rules.get(rule) ?? []), seed]);
  for (const [rule, failed] of rules) say(`  ${rule}: ${failed.length} seeds, first ${Math.min(...failed)}`);
  const [first] = total.failed.toSorted((one, other) => one.seed - other.seed);
  if (first) await showShrunk(first.seed);
  if (total.failed.length > 0 || codes.some((code) => code !== 0)) process.exitCode = 1;
}

function emptyTally(): Tally {
  return { seeds: 0, steps: 0, facts: 0, lastedMs: 0, failed: [] };
}

function add(tally: Tally, seed: number, { violation, steps, facts, lastedMs }: Outcome): void {
  tally.seeds += 1;
  tally.steps += steps;
  tally.facts += facts;
  tally.lastedMs += lastedMs;
  if (violation) tally.failed.push({ seed, rule: violation.rule, message: violation.message });
}

function summary({ seeds, steps, facts, lastedMs, failed }: Tally, of: number, ms: number): string {
  const speed = ((seeds * 1000) / ms).toFixed(1);
  const world = (lastedMs / 3_600_000).toFixed(1);
  return `${seeds} of ${of} seeds, ${speed} a second; ${steps} steps, ${facts} facts, ${world} hours of the world; ${failed.length} failed`;
}
