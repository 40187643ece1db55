import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Below the checkout, so that what it imports is found in ours. */
const FOLDER = '.data/bench-at';
/** What is measured. */
const measured = ['machines', 'server', 'adapters', 'client', 'package.json'];
/** What it is measured by, and compiled with. */
const ours = ['bench', 'model-tests/temporal/dev-server.ts', 'model-tests/support', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * Compiles today's bench with the code of a commit, and gives the path of the program. Throws where git does not know the commit; code that today's
 * bench does not run on says so when it is started.
 */
export function benchAt(revision: string): string {
  const git = (...args: readonly string[]): Buffer => execFileSync('git', args, { maxBuffer: 1 << 30 });
  const commit = git('rev-parse', '--verify', `${revision}^{commit}`).toString().trim();
  const folder = resolve(FOLDER, commit);
  // Of others there is no use any more.
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-x', '-C', folder], { input: git('archive', commit, '--', ...measured) });
  for (const each of ours) cpSync(each, join(folder, each), { recursive: true });
  execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', join(folder, 'bench/tsconfig.json')], {
    stdio: 'inherit',
  });
  return join(folder, '.data/bench/bench/run.js');
}
