/** What a browser loads for each door, with everything that it needs, and whether that is still small: `npm run size`. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { doors } from './doors.ts';

interface Budget {
  readonly door: string;
  /** Largest bundle, gzipped. */
  readonly bytesMax: number;
  /** What the page brings itself. */
  readonly external: readonly string[];
}

const budgets: readonly Budget[] = [
  { door: 'taskbridge/client', bytesMax: 43_000, external: [] },
  // Beside the client these two cost a page about 7 KB and 6 KB: the rest is in both.
  { door: 'taskbridge/client/outbox', bytesMax: 24_000, external: [] },
  // Beside the client it costs a page about 2 KB.
  { door: 'taskbridge/client/streams', bytesMax: 9_000, external: [] },
  { door: 'taskbridge/client/tabs', bytesMax: 23_000, external: [] },
];
const root = fileURLToPath(new URL('..', import.meta.url));

for (const { door, bytesMax, external } of budgets) {
  const { outputFiles, metafile } = await build({
    entryPoints: [sourceOf(door)],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'none',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: [...external],
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const [bundle] = outputFiles;
  if (!bundle) throw new Error(`esbuild made nothing of ${door}.`);
  const bytes = gzipSync(bundle.contents, { level: 9 }).byteLength;
  console.log(`${door}: ${kilobytes(bytes)} gzipped, at most ${kilobytes(bytesMax)}`);
  if (bytes <= bytesMax) continue;
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const heaviest = parts.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput).slice(0, 12);
  for (const [file, { bytesInOutput }] of heaviest) console.error(`  ${kilobytes(bytesInOutput)} minified: ${file}`);
  console.error(`${door} is too large: find what it should not reach, or what it can do without.`);
  process.exitCode = 1;
}

function sourceOf(door: string): string {
  const found = doors.find(({ specifier }) => specifier === door);
  if (!found) throw new Error(`${door} is no door of package.json's exports.`);
  return `${root}${found.source}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
