import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CleanupStack } from '../processes/cleanup-stack.ts';
import type { Section } from '../results/row.ts';
import { benchAt } from './bench-at.ts';
import type { Pair } from './pair.ts';

/** What is compared. */
export interface Comparison {
  /** As git names it. */
  readonly revision: string;
  readonly quick: boolean;
  /** Measurements by name; the usual ones where none is given. */
  readonly only: readonly string[];
  /** Rows whose names hold this text. */
  readonly row: string;
  readonly cleanup: CleanupStack;
  say(text: string): void;
}

/** The others take minutes each, or measure no speed. */
const usual = ['appends', 'appends-lmdb', 'creates', 'commands', 'fan-out-ws', 'fan-out-sse', 'resume', 'polls'] as const;
const PAIRS = 9;
const PAIRS_QUICK = 5;

/**
 * Runs today's bench on the code of a commit and on that of this checkout, so many times in turn, each run in processes of its own. Every other
 * pair begins with this checkout: what a machine does to the second of two it does to both.
 */
export async function measuredPairs({ revision, quick, only, row, cleanup, say }: Comparison): Promise<readonly Pair[]> {
  const here = fileURLToPath(new URL('../run.js', import.meta.url));
  const there = benchAt(revision);
  const folder = await mkdtemp(join(tmpdir(), 'taskbridge-check-'));
  const removed = cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const args = ['--alone', '--quick', '--only', (only.length > 0 ? only : usual).join(','), '--row', row];
  const measured = (program: string): Promise<readonly Section[]> => sectionsOf(cleanup, program, args, join(folder, 'run.json'));
  const count = quick ? PAIRS_QUICK : PAIRS;
  const pairs: Pair[] = [];
  for (let at = 0; at < count; at += 1) {
    if (at % 2 === 0) {
      const before = await measured(there);
      pairs.push({ before, now: await measured(here) });
    } else {
      const now = await measured(here);
      pairs.push({ before: await measured(there), now });
    }
    say(`pair ${at + 1} of ${count}`);
  }
  await removed();
  return pairs;
}

async function sectionsOf(cleanup: CleanupStack, program: string, args: readonly string[], out: string): Promise<readonly Section[]> {
  const child = spawn(process.execPath, [program, ...args, '--out', out], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => void said.push(text));
  const gone = once(child, 'exit');
  const end = cleanup.add(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const [code] = (await gone) as [number | null];
  await end();
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${said.join('')}`);
  // Written by our own run.
  return (JSON.parse(await readFile(out, 'utf8')) as { readonly sections: readonly Section[] }).sections;
}
