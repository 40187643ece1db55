import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

/** A program of one version of ours: what runs a host of it. */
export interface Version {
  /** `0.1.0`, `today`, or `tomorrow`. */
  readonly name: string;
  /** A file for Node. */
  readonly host: string;
}

/** A release that was kept, unpacked. */
export interface Release extends Version {
  /** Imports a door of it, by its path below `dist`. Its types are whatever the caller knows of that release. */
  door(path: string): Promise<unknown>;
}

/** The stored forms with a version of the server's own, by the constant that has the newest; `older` ones are written too. */
export const versionConstants = {
  STORED_VERSION: { file: /machines\/aggregate\/stored\.ts$/, older: ['VERSION_WITHOUT_PARTS'] },
  EXECUTION_RECORD_VERSION: { file: /server\/attempt\/execution-record\.ts$/, older: [] },
} as const;

/** A folder in which programs of any version find the packages of the checkout. */
export interface BuildFolder {
  unpack(version: string): Promise<Release>;
  /** The host of the code as it is. */
  today(): Promise<Version>;
  /** The code as it is, but for one form: it writes that form under the next version, as if its shape had changed. */
  tomorrow(raised: keyof typeof versionConstants): Promise<Version>;
  clear(): Promise<void>;
}

/** Makes an empty build folder. */
export async function openBuildFolder(): Promise<BuildFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'taskbridge-versions-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');

  async function bundle(name: string, file: string, plugins: Plugin[] = []): Promise<Version> {
    const host = join(folder, `${file}.mjs`);
    await build({
      entryPoints: [join(here, 'children/host.ts')],
      outfile: host,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
      tsconfig: join(root, 'tsconfig.json'),
      plugins,
    });
    return { name, host };
  }

  return {
    async unpack(version) {
      const own = join(folder, version);
      const installed = join(own, 'node_modules/taskbridge');
      await mkdir(installed, { recursive: true });
      await promisify(execFile)('tar', ['-xzf', join(here, `taskbridge-${version}.tgz`), '-C', installed, '--strip-components', '1']);
      await writeFile(join(own, 'package.json'), '{ "type": "module" }');
      const host = join(own, 'host.js');
      await copyFile(join(here, `children/host-${version}.js`), host);
      return { name: version, host, door: (path) => import(pathToFileURL(join(installed, 'dist', path)).href) as Promise<unknown> };
    },
    today: () => bundle('today', 'today'),
    tomorrow: (raised) => bundle('tomorrow', `tomorrow-${raised}`, [raising(raised)]),
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Raises a version by one while the code is bundled, so that all is written under it. Fails the build where a constant, or its file, is not found. */
function raising(name: keyof typeof versionConstants): Plugin {
  return {
    name: 'raise',
    setup({ onLoad, onEnd }) {
      let isRaised = false;
      onEnd(() => (isRaised ? null : { errors: [{ text: `No file of ${name} was bundled: has it another name now?` }] }));
      const { file, older } = versionConstants[name];
      onLoad({ filter: file }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const next = Number(new RegExp(`const ${name} = (\\d+);`).exec(text)?.[1]) + 1;
        const raised = [name, ...older].reduce((now, constant) => {
          const then = now.replace(new RegExp(`(const ${constant} = )\\d+;`), `$1${next};`);
          if (then === now) throw new Error(`${path} has no constant ${constant} that could be raised.`);
          return then;
        }, text);
        isRaised = true;
        return { contents: raised, loader: 'ts' };
      });
    },
  };
}
