/**
 * Packs what `npm publish` would, the library and its kit, unpacks both into an empty project, and uses them there: publint, the links of its pages, the types as other
 * projects resolve them, every door imported by Node, and a strict consumer compiled. Needs `npm run build` first, and no network.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { browserBundle } from './browser-bundle.ts';
import { coreBudget } from './budgets.ts';
import { doors, kitName } from './doors.ts';
import { assembleKit, kitFolder, kitImports } from './kit.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** What npm says of a tarball, in bytes. */
interface PackedFile {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest & Record<string, unknown>;
const specifiers = doors.map(({ specifier }) => specifier);
const project = mkdtempSync(join(tmpdir(), 'taskbridge-pack-'));

try {
  assembleKit();
  for (const [name, folder] of [
    ['taskbridge', root],
    [kitName, kitFolder],
  ] as const) {
    const tarball = pack(folder);
    await lintPackage(tarball);
    run(
      `the types of ${name} resolve for projects of any kind`,
      process.execPath,
      [bin('@arethetypeswrong/cli', 'attw'), tarball, '--profile', 'esm-only'],
      root,
      'pipe',
    );
    unpack(name, tarball);
  }
  checkLinks('taskbridge');
  checkLinks(kitName);
  linkPackages();
  importDoors();
  runTheKit();
  runTheCommand();
  compileConsumer();
  await bundleForBrowsers();
  console.log(`The packages hold: ${specifiers.join(', ')}`);
} finally {
  rmSync(project, { recursive: true, force: true });
}

function pack(folder: string): string {
  const answer = run(
    'the package packs',
    'npm',
    ['pack', folder, '--json', '--ignore-scripts', '--pack-destination', project],
    root,
    'pipe',
  );
  // npm's own report: a list in some versions, an object by package name in others.
  const report = JSON.parse(answer) as readonly PackedFile[] | Readonly<Record<string, PackedFile>>;
  const [packed] = Object.values(report);
  if (!packed) throw new Error('npm packed nothing.');
  console.log(`${packed.filename}: ${Math.round(packed.size / 1000)} KB packed, ${Math.round(packed.unpackedSize / 1000)} KB unpacked`);
  return join(project, packed.filename);
}

async function lintPackage(tarball: string): Promise<void> {
  const bytes = readFileSync(tarball);
  const { messages: all } = await publint({ pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) } });
  // A condition could say only which door a browser has: the charts are one file each, behind many.
  const messages = all.filter(({ code }) => code !== 'USE_EXPORTS_OR_IMPORTS_BROWSER');
  for (const message of messages) console.error(`publint: ${formatMessage(message, manifest)}`);
  if (messages.length > 0) throw new Error('publint found something to mend in package.json.');
}

function unpack(name: string, tarball: string): void {
  const folder = join(project, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  run(`${name} unpacks`, 'tar', ['-xzf', tarball, '-C', folder, '--strip-components', '1'], project);
}

/** Lets the project find only what the library declares, and the kit what it declares beside. */
function linkPackages(): void {
  const modules = join(project, 'node_modules');
  const types = ['@types/node', '@types/koa-router', '@types/react'];
  linkInto(modules, [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), ...types]);
  linkInto(join(modules, kitName, 'node_modules'), kitImports);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
}

function linkInto(modules: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
}

/** Every relative link of a packed page leads to a packed page, file or folder. */
function checkLinks(name: string): void {
  const folder = join(project, 'node_modules', name);
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));
  const dead = pages.flatMap((page) =>
    [...readFileSync(join(folder, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      const [path = ''] = link.split('#');
      return path === '' || /^[a-z]+:/.test(link) || existsSync(join(folder, dirname(page), path)) ? [] : [`${page}: ${link}`];
    }),
  );
  if (dead.length > 0) throw new Error(`These links lead nowhere in ${name}:\n${dead.join('\n')}`);
}

function importDoors(): void {
  const lines = specifiers.map(
    (door) => `if (Object.keys(await import('${door}')).length === 0) throw new Error('${door} exports nothing');`,
  );
  writeFileSync(join(project, 'import.mjs'), lines.join('\n'));
  run('Node imports every door', process.execPath, ['import.mjs'], project);
}

/** The conformance kit as others use it, with a runner that is not ours: a suite, and the wire that misbehaves. */
function runTheKit(): void {
  const lines = [
    "import { describe, it } from 'node:test';",
    "import { chaosProxy, defineTests, storeSuite } from 'taskbridge-conformance';",
    "import { memoryStore } from 'taskbridge/adapters/memory';",
    'const open = async () => { const store = memoryStore(); await store.open(); return { store, close: () => store.close() }; };',
    "defineTests({ describe, it }, storeSuite, 'memory', open, { inapplicable: ['reopening'] });",
    "it('a proxy starts and ends', async () => (await chaosProxy({ target: { port: 1 } })).close());",
  ];
  writeFileSync(join(project, 'kit.test.mjs'), lines.join('\n'));
  run('the conformance kit runs under node:test', process.execPath, ['--test', '--test-reporter', 'dot', 'kit.test.mjs'], project);
}

/** The command, on a store that the packed store made: a backup, a look at it, and a new store of it. */
function runTheCommand(): void {
  const lines = [
    "import { lmdbStore } from 'taskbridge/adapters/lmdb';",
    "const store = lmdbStore({ path: 'tasks' });",
    'await store.open();',
    'await store.close();',
  ];
  writeFileSync(join(project, 'store.mjs'), lines.join('\n'));
  run('the packed store opens', process.execPath, ['store.mjs'], project);
  const folder = join(project, 'node_modules', 'taskbridge');
  const { bin: commands } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  const command = join(folder, commands['taskbridge'] ?? '');
  if (!readFileSync(command, 'utf8').startsWith('#!/usr/bin/env node\n')) throw new Error(`${command} says not what runs it.`);
  for (const args of [
    ['backup', 'tasks', 'backup.mdb'],
    ['check', 'backup.mdb'],
    ['restore', 'backup.mdb', 'again'],
    ['check', 'again'],
  ])
    run(`taskbridge lmdb ${args[0]} works`, process.execPath, [command, 'lmdb', ...args], project);
}

function compileConsumer(): void {
  const lines = specifiers.map((door, index) => `import * as door${index} from '${door}';\nvoid door${index};`);
  writeFileSync(join(project, 'consumer.ts'), lines.join('\n'));
  // Temporal's own declarations name those of a package that does not show them.
  writeFileSync(join(project, 'ms.d.ts'), "declare module 'ms' { export type StringValue = string; }");
  // Without skipLibCheck: our declarations are read in full, with those of what they name (XState's own break exactOptionalPropertyTypes).
  const options = ['--strict', '--noEmit', '--module', 'NodeNext', '--target', 'ES2022'];
  const compile = (what: string, ...more: readonly string[]): string =>
    run(what, process.execPath, [bin('typescript', 'tsc'), ...options, '--types', 'node', ...more, 'consumer.ts', 'ms.d.ts'], project);
  compile('a strict consumer compiles');
  compile('a consumer of Node compiles, without what only browsers have', '--lib', 'ES2022');
}

/** What a page gets of the package is as small as what is measured of the source: its charts come without their descriptions. */
async function bundleForBrowsers(): Promise<void> {
  const { bytes, files } = await browserBundle({ contents: `export * from '${coreBudget.door}';`, folder: project });
  const whole = files.filter(([file]) => file.endsWith('.machine.js'));
  if (whole.length > 0) throw new Error(`A page loads whole charts: ${whole.map(([file]) => file).join(', ')}`);
  if (bytes > coreBudget.bytesMax)
    throw new Error(`A page loads ${bytes} bytes of ${coreBudget.door}; ${coreBudget.bytesMax} is the most.`);
}

function bin(name: string, command: string): string {
  const { bin: commands } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  return join(root, 'node_modules', name, commands[command] ?? '');
}

function run(what: string, program: string, args: readonly string[], cwd: string, stdout: 'inherit' | 'pipe' = 'inherit'): string {
  const { status, stdout: said, error } = spawnSync(program, args, { cwd, stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
  if (status !== 0 && said) console.error(said);
  if (status !== 0) throw new Error(`It does not hold that ${what}: ${program} ended with ${error?.message ?? status}.`);
  return said ?? '';
}
