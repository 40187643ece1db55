/**
 * Compiles the tests of the contract's types against the package as it is packed, by each TypeScript from the oldest that it is for to the newest, as a host of Node does: no
 * declarations skipped, nothing of browsers. Needs `npm run build` first, and the compilers that `scripts/setup.sh compilers` brings.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compilers = join(root, '.data/compilers/node_modules');
const versions = ['5.4', '5.6', '5.9', 'newest'];
/** What every compiler has to refuse, or it has read nothing. */
const planted = "import { inProcess } from 'taskbridge/adapters/in-process';\nimport { tasks } from './tasks.ts';\ninProcess(tasks, {});\n";

const project = mkdtempSync(join(tmpdir(), 'taskbridge-types-'));
try {
  installPackage();
  writeProject();
  // Each has a core to itself, on two.
  const faults = (await Promise.all(versions.map(compile))).flat();
  if (faults.length > 0) throw new Error(`The types do not hold:\n${faults.join('\n')}`);
  console.log(`The types hold with TypeScript ${versions.join(', ')}`);
} finally {
  rmSync(project, { recursive: true, force: true });
}

/** What npm would install: only what the library declares is found. */
function installPackage(): void {
  const modules = join(project, 'node_modules');
  const own = join(modules, 'taskbridge');
  mkdirSync(own, { recursive: true });
  run('npm', ['pack', root, '--silent', '--ignore-scripts', '--pack-destination', project]);
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  run('tar', ['-xzf', join(project, tarball), '-C', own, '--strip-components', '1']);
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const types = ['@types/node', '@types/koa-router', '@types/react', 'expect-type'];
  for (const name of [...Object.keys(dependencies), ...Object.keys(peerDependencies), ...types]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
}

function writeProject(): void {
  const write = (name: string, content: string | object): void =>
    writeFileSync(join(project, name), typeof content === 'string' ? content : JSON.stringify(content));
  const tests = join(root, 'model-tests/contract');
  for (const name of readdirSync(tests).filter((file) => file.endsWith('.test-d.ts') || file === 'tasks.ts'))
    copyFileSync(join(tests, name), join(project, name));
  write('planted.ts', planted);
  write('package.json', { name: 'consumer', private: true, type: 'module' });
  // Of Vitest the tests use this alone; its own declarations are for newer compilers.
  mkdirSync(join(project, 'node_modules/vitest'));
  write('node_modules/vitest/package.json', { name: 'vitest', type: 'module', exports: { '.': { types: './index.d.ts' } } });
  write('node_modules/vitest/index.d.ts', "export { expectTypeOf } from 'expect-type';\n");
  // Temporal's declarations name this package, whose own are not found from ES modules.
  write('ms.d.ts', "declare module 'ms' {\n  export type StringValue = string;\n}\n");
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2022'],
    types: ['node'],
    jsx: 'react-jsx',
    skipLibCheck: false,
    allowImportingTsExtensions: true,
  };
  write('tsconfig.json', { compilerOptions, include: ['*.ts'] });
}

/** What a compiler of this version refuses, but for what was planted. */
async function compile(version: string): Promise<readonly string[]> {
  const program = join(compilers, `typescript-${version}`, 'bin/tsc');
  if (!existsSync(program)) throw new Error(`TypeScript ${version} is missing: \`sh scripts/setup.sh compilers\` brings it.`);
  const child = spawn(process.execPath, [program, '-p', '.', '--pretty', 'false'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
  const others = lines.filter((line) => !line.startsWith('planted.ts'));
  return [...(others.length === lines.length ? ['it refuses nothing'] : []), ...others].map((line) => `TypeScript ${version}: ${line}`);
}

function run(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ended with ${status}.`);
}
