/** What a browser loads for the client, with everything that it needs, and what each other door adds to it: `npm run size`. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { doors } from './doors.ts';

interface Budget {
  readonly door: string;
  /** Largest bundle, gzipped; beyond the client, what it adds to that. */
  readonly bytesMax: number;
  /** What the page brings itself. */
  readonly external?: readonly string[];
}

const core: Budget = { door: 'taskbridge/client', bytesMax: 50_000 };
/** What each costs an app that has the client. */
const beyond: readonly Budget[] = [
  { door: 'taskbridge/client/outbox', bytesMax: 7_500 },
  { door: 'taskbridge/client/streams', bytesMax: 2_500 },
  { door: 'taskbridge/client/tabs', bytesMax: 6_700 },
  { door: 'taskbridge/react', bytesMax: 4_500, external: ['react'] },
  { door: 'taskbridge/xstate', bytesMax: 2_500 },
  { door: 'taskbridge/react-native', bytesMax: 2_000 },
  { door: 'taskbridge/client/testing', bytesMax: 6_000 },
];
const root = fileURLToPath(new URL('..', import.meta.url));

interface Bundle {
  readonly bytes: number;
  /** Its heaviest files, for people. */
  readonly heaviest: readonly string[];
}

const client = await bundle([core]);
judge(core, client.bytes, client, '');
for (const budget of beyond) {
  const both = await bundle([core, budget]);
  judge(budget, both.bytes - client.bytes, both, ' beyond the client');
}

function judge({ door, bytesMax }: Budget, bytes: number, { heaviest }: Bundle, what: string): void {
  console.log(`${door}: ${kilobytes(bytes)} gzipped${what}, at most ${kilobytes(bytesMax)}`);
  if (bytes <= bytesMax) return;
  for (const line of heaviest) console.error(line);
  console.error(`${door} is too large: find what it should not reach, or what it can do without.`);
  process.exitCode = 1;
}

async function bundle(budgets: readonly Budget[]): Promise<Bundle> {
  // A name that two doors have would be left out if both were passed on plainly.
  const lines = budgets.map(({ door }, index) => `export *${index > 0 ? ` as door${index}` : ''} from '${sourceOf(door)}';`);
  const { outputFiles, metafile } = await build({
    stdin: { contents: lines.join('\n'), resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'none',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: budgets.flatMap(({ external = [] }) => external),
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const [made] = outputFiles;
  if (!made) throw new Error(`esbuild made nothing of ${budgets.map(({ door }) => door).join(' and ')}.`);
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const heaviest = parts.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput).slice(0, 12);
  return {
    bytes: gzipSync(made.contents, { level: 9 }).byteLength,
    heaviest: heaviest.map(([file, { bytesInOutput }]) => `  ${kilobytes(bytesInOutput)} minified: ${file}`),
  };
}

function sourceOf(door: string): string {
  const found = doors.find(({ specifier }) => specifier === door);
  if (!found) throw new Error(`${door} is no door of package.json's exports.`);
  return `${root}${found.source}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
