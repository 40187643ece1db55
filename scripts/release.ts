/**
 * Makes what a release has, and publishes nothing: `npm run release:dry`. The package and that of the kit are built and checked, packed into `.data/release/`, and its bill of materials
 * (CycloneDX: what it brings along, with versions and hashes) is written beside it. Needs a network for nothing but the bill.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { kitName } from './doors.ts';
import { kitFolder } from './kit.ts';

const FOLDER = '.data/release';
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly name: string; readonly version: string };

run('npm', ['run', '--silent', 'package'], 'inherit');
mkdirSync(FOLDER, { recursive: true });
run('npm', ['pack', '--ignore-scripts', '--pack-destination', FOLDER], 'pipe');
run('npm', ['pack', kitFolder, '--ignore-scripts', '--pack-destination', FOLDER], 'pipe');
const bill = `${FOLDER}/${name}-${version}.cdx.json`;
writeFileSync(bill, run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'], 'pipe'));
const { components } = JSON.parse(readFileSync(bill, 'utf8')) as { readonly components: readonly unknown[] };
console.log(
  `${FOLDER}/${name}-${version}.tgz, ${FOLDER}/${kitName}-${version}.tgz and ${bill}: ${components.length} packages. Nothing was published.`,
);

function run(program: string, args: readonly string[], stdout: 'inherit' | 'pipe'): string {
  const { status, stdout: said } = spawnSync(program, args, { stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}.`);
  return said ?? '';
}
