import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from './outcome.ts';
import { parts, type PartName } from './parts.ts';
import type { Progress } from './progress.ts';

type Command = readonly [program: string, ...args: string[]];

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
const tsx = 'node_modules/tsx/dist/cli.mjs';
/** What `newest` runs the tests with. */
const newestNode = 'node@24';

/** How a check of parts goes on. */
export interface PartCheckDeps {
  readonly progress: Progress;
  /** Arguments for Vitest. */
  readonly forVitest: readonly string[];
  /** Said before each line of a part that runs beside another one. */
  readonly prefix?: string;
}

/** Installs one after the other: a system's package manager takes one caller at a time. */
let installing: Promise<unknown> = Promise.resolve();

/** Installs what a part needs, checks its steps, as many at a time as there are cores, and runs its tests if all of that held. */
export async function checkPart(name: PartName, deps: PartCheckDeps): Promise<Outcome> {
  const { needs, steps } = parts[name];
  const { progress } = deps;
  const names = Object.keys(steps);
  const isInstalled = installing.then(
    () => needs.length === 0 || ran(deps, 'what the tests need is installed', ['sh', 'scripts/setup.sh', ...needs], true),
  );
  installing = isInstalled;
  if (!(await isInstalled)) {
    progress.skip(names.length + 1);
    return { passed: 0, failed: 1, failures: ['what the tests need cannot be installed'] };
  }
  const left = [...names];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let what = left.shift(); what !== undefined; what = left.shift()) {
      const command: Command = [npm, 'run', '--silent', ...(steps[what]?.split(' ') ?? [])];
      if (!(await ran(deps, what, command, false))) failures.push(`it does not hold that ${what}`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  if (failures.length === 0) return runTests(name, deps);
  progress.skip(1);
  return { passed: 0, failed: failures.length, failures };
}

/** The tests in a process of their own, which counts them. */
async function runTests(name: PartName, deps: PartCheckDeps): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'taskbridge-check-'));
  const outcome = join(folder, 'outcome.json');
  const node: Command = name === 'newest' ? [npx, '-y', newestNode] : [process.execPath];
  const command: Command = [...node, tsx, 'scripts/test-run.ts', name, ...deps.forVitest];
  try {
    await ran(deps, 'the tests pass', command, true, { TEST_OUTCOME: outcome });
    // Written by the run, unless it broke down.
    return JSON.parse(readFileSync(outcome, 'utf8')) as Outcome;
  } catch {
    return { passed: 0, failed: 1, failures: ['the run of the tests broke down'] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a command; true if it ended well. What one says that is not shown as it comes is shown whole when it fails. */
async function ran(
  { progress, prefix }: PartCheckDeps,
  what: string,
  command: Command,
  isShown: boolean,
  more: NodeJS.ProcessEnv = {},
): Promise<boolean> {
  const label = prefix === undefined ? what : `${prefix}${what}`;
  const end = progress.begin(label);
  const [program, ...args] = command;
  const child = spawn(program, args, {
    stdio: isShown && prefix === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...more },
    shell: process.platform === 'win32',
  });
  let said = '';
  const hear = isShown ? prefixed(prefix ?? '') : (chunk: Buffer) => (said += chunk.toString());
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', ({ message }) => {
      said += message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  end();
  if (status === 0) return true;
  console.error(`${said}\nIt does not hold that ${label}: \`${command.join(' ')}\` failed.`);
  return false;
}

/** Shows what comes, line by line, each behind the name of its part. */
function prefixed(prefix: string): (chunk: Buffer) => void {
  let begun = '';
  return (chunk) => {
    const lines = (begun + chunk.toString()).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) console.log(`${prefix}${line}`);
  };
}
