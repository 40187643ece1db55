/** Everything that has to hold before a change is taken: one step after the other, stopping at the first that fails. */
import { spawnSync } from 'node:child_process';

interface Check {
  readonly what: string;
  readonly command: readonly [string, ...string[]];
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const script = (name: string, ...rest: string[]): Check['command'] => [npm, 'run', '--silent', name, ...rest];

const checks: readonly Check[] = [
  { what: 'what the tests need is installed', command: ['sh', 'scripts/setup.sh'] },
  { what: 'the types hold', command: script('typecheck') },
  { what: 'the house rules hold', command: script('lint') },
  { what: 'the source is formatted', command: script('format:check') },
  { what: 'docs/charts shows the charts as they are', command: script('charts', '--', '--check') },
  { what: 'docs/schemas shows the wire as it is', command: script('schemas', '--', '--check') },
  { what: 'what browsers load is small', command: script('size') },
  { what: 'the package builds', command: script('build') },
  { what: 'the package works where it is installed', command: script('pack:check') },
  {
    what: 'the tests pass, and walk every chart whole at every level',
    command: [process.execPath, 'node_modules/tsx/dist/cli.mjs', 'scripts/test-run.ts', '--every-level'],
  },
];

checks.forEach(({ what, command: [program, ...args] }, index) => {
  console.log(`\n[${index + 1}/${checks.length}] ${what}`);
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status === 0) return;
  // The tests end with their own count, which stays the last line.
  if (index < checks.length - 1) console.error(`\nStopped: ${[program, ...args].join(' ')} failed.`);
  process.exit(1);
});
