import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A program in one file of JavaScript. */
export interface Program {
  readonly file: string;
  remove(): Promise<void>;
}

/** Within the project, where its packages are found. */
const folder = fileURLToPath(new URL('../../.data/programs/', import.meta.url));

/** Makes one file of a program, so that its processes start soon, and all of them run the same whatever happens to its source. */
export async function buildProgram(source: URL): Promise<Program> {
  await mkdir(folder, { recursive: true });
  const own = await mkdtemp(folder);
  const entry = fileURLToPath(source);
  const file = join(own, basename(entry).replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return { file, remove: () => rm(own, { recursive: true, force: true }) };
}
