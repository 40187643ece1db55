import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';

/** What a page loads, as a bundler for browsers makes it: minified. */
export interface BrowserBundle {
  readonly code: string;
  /** Gzipped. */
  readonly bytes: number;
  /** Its files, the heaviest first, each with its minified bytes. */
  readonly files: readonly (readonly [file: string, bytes: number])[];
}

/** What is bundled. */
export interface BrowserBundleOptions {
  /** A module that exports all that is wanted. */
  readonly contents: string;
  /** From where it imports. */
  readonly folder: string;
  /** What the page brings itself. */
  readonly external?: readonly string[];
  readonly plugins?: readonly Plugin[];
}

/** Bundles for production, by esbuild. */
export async function browserBundle({ contents, folder, external = [], plugins = [] }: BrowserBundleOptions): Promise<BrowserBundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder },
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'none',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: [...external],
    plugins: [...plugins],
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const [made] = outputFiles;
  if (!made) throw new Error(`esbuild made nothing of ${contents}`);
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const files = parts.map(([file, { bytesInOutput }]) => [file, bytesInOutput] as const).sort(([, a], [, b]) => b - a);
  return { code: made.text, bytes: gzipSync(made.contents, { level: 9 }).byteLength, files };
}
