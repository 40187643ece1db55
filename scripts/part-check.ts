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

/** Installs what a part needs, checks its steps, as many at a time as there are cores, and runs its tests if all of that held. */
export async function checkPart(name: PartName, progress: Progress, forVitest: readonly string[]): Promise<Outcome> {
  const { needs, steps } = parts[name];
  const names = Object.keys(steps);
  if (needs.length > 0 && !(await ran(progress, 'what the tests need is installed', ['sh', 'scripts/setup.sh', ...needs], true))) {
    progress.skip(names.length + 1);
    return { passed: 0, failed: 1, failures: ['what the tests need cannot be installed'] };
  }
  const left = [...names];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let what = left.shift(); what !== undefined; what = left.shift()) {
      const command: Command = [npm, 'run', '--silent', ...(steps[what]?.split(' ') ?? [])];
      if (!(await ran(progress, what, command, false))) failures.push(`it does not hold that ${what}`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  if (failures.length === 0) return runTests(name, progress, forVitest);
  progress.skip(1);
  return { passed: 0, failed: failures.length, failures };
}

/** The tests in a process of their own, which counts them. */
async function runTests(name: PartName, progress: Progress, forVitest: readonly string[]): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'taskbridge-check-'));
  const outcome = join(folder, 'outcome.json');
  const node: Command = name === 'newest' ? [npx, '-y', newestNode] : [process.execPath];
  const command: Command = [...node, tsx, 'scripts/test-run.ts', name, ...forVitest];
  try {
    await ran(progress, 'the tests pass', command, true, { TEST_OUTCOME: outcome });
    // Written by the run, unless it broke down.
    return JSON.parse(readFileSync(outcome, 'utf8')) as Outcome;
  } catch {
    return { passed: 0, failed: 1, failures: ['the run of the tests broke down'] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a command; true if it ended well. What one says that is not shown as it comes is shown whole when it fails. */
async function ran(progress: Progress, what: string, command: Command, isShown: boolean, more: NodeJS.ProcessEnv = {}): Promise<boolean> {
  const end = progress.begin(what);
  const [program, ...args] = command;
  const child = spawn(program, args, {
    stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...more },
    shell: process.platform === 'win32',
  });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', ({ message }) => {
      said += message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  end();
  if (status === 0) return true;
  console.error(`${said}\nIt does not hold that ${what}: \`${command.join(' ')}\` failed.`);
  return false;
}
