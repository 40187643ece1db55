import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { doors } from '../../scripts/doors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = new Map(doors.map(({ specifier, source }) => [specifier, `${root}${source}`]));

/** The package by its source, as the tests have it. */
const ownDoors: Plugin = {
  name: 'own doors',
  setup({ onResolve }) {
    onResolve({ filter: /^taskbridge\// }, ({ path }) => {
      const source = sources.get(path);
      return source === undefined ? { errors: [{ text: `${path} is no door.` }] } : { path: source };
    });
  },
};

/** What a bundle is for. */
export interface BundleOptions {
  readonly format: 'iife' | 'esm';
  /** What `iife` leaves on the global object. */
  readonly globalName?: string;
  readonly plugins?: readonly Plugin[];
  /** In their order, the endings of files that an import may mean. */
  readonly endings?: readonly string[];
  readonly define?: Readonly<Record<string, string>>;
  /** False: fields of classes are assigned, and not at all where they have no value. Defaults to true. */
  readonly definesFields?: boolean;
}

/** One file with all that a program imports, for a place that is no Node. */
export async function bundle(
  program: string,
  { globalName, plugins = [], endings, define, format, definesFields = true }: BundleOptions,
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    bundle: true,
    write: false,
    format,
    ...(globalName !== undefined && { globalName }),
    ...(endings && { resolveExtensions: [...endings] }),
    platform: 'browser',
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: definesFields } },
    plugins: [ownDoors, ...plugins],
    define: { 'process.env.NODE_ENV': '"production"', ...define },
    logLevel: 'error',
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`esbuild made nothing of ${program}.`);
  return file.text;
}
