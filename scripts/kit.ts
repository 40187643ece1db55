/**
 * The conformance kit as a package of its own, `taskbridge-conformance`, beside that of the library: who runs tasks does not pay for it. Its folder is
 * built and put together in `.data/kit/`, from where npm packs it; it finds the library as whoever installs it does. Needs `npm run build` first.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kitDoors, kitName } from './doors.ts';

/** What of the library's manifest the kit's has too. */
interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = 'model-tests/conformance';
/** Packages that the kit itself imports; `house/arrows.ts` holds it to them. */
export const kitImports = ['koa', 'ws', 'eventsource-parser', '@types/koa', '@types/ws'] as const;

/** Where the kit's package is put together. */
export const kitFolder: string = join(root, '.data/kit');

/** The kit's manifest: the same version as the library's, which it asks for. */
export function kitManifest({ version, license, engines, dependencies, devDependencies }: Manifest): Record<string, unknown> {
  const exports = kitDoors.map(({ specifier, source }) => {
    const built = `./dist/${source.slice(SOURCE.length + 1).replace(/\.ts$/, '')}`;
    return [`.${specifier.slice(kitName.length)}`, { types: `${built}.d.ts`, default: `${built}.js` }] as const;
  });
  return {
    name: kitName,
    version,
    description: 'What a store, an executor, a server and a client of TaskBridge mean, as cases that run against your own.',
    license,
    type: 'module',
    engines,
    sideEffects: false,
    files: ['dist', 'README.md', 'LICENSE'],
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    peerDependencies: { taskbridge: version },
    dependencies: Object.fromEntries(kitImports.map((name) => [name, dependencies[name] ?? devDependencies[name] ?? missing(name)])),
  };
}

/** Builds it, and puts it together. */
export function assembleKit(): void {
  rmSync(kitFolder, { recursive: true, force: true });
  mkdirSync(kitFolder, { recursive: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.kit.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`The kit does not build (${status}).`);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  writeFileSync(join(kitFolder, 'package.json'), `${JSON.stringify(kitManifest(manifest), null, 2)}\n`);
  copyFileSync(join(root, 'LICENSE'), join(kitFolder, 'LICENSE'));
  // Its whole page goes with the library, where its links lead.
  writeFileSync(join(kitFolder, 'README.md'), README);
}

function missing(name: string): never {
  throw new Error(`The kit imports ${name}, which package.json does not have.`);
}

const README = `# taskbridge-conformance

What a store, an attachment store, an executor, a server and a client of TaskBridge mean, as cases that anybody can run against their own;
and a wire that misbehaves when it is told to. It is of the same version as the library:

    npm install --save-dev taskbridge taskbridge-conformance

How to run a suite, what a world is, and what the cases ask for is told in \`node_modules/taskbridge/model-tests/conformance/README.md\`.
`;
