/** What a browser loads for the client, with everything that it needs, and what each other door adds to it: `npm run size`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { browserBundle, type BrowserBundle } from './browser-bundle.ts';
import { chartFile, withoutDescriptions } from './browser-chart.ts';
import { budgetsBeyond, coreBudget, type Budget } from './budgets.ts';
import { doors } from './doors.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What the build writes, and `browser` of `package.json` asks for. */
const browserCharts: Plugin = {
  name: 'charts as browsers have them',
  setup: ({ onLoad }) =>
    onLoad({ filter: chartFile }, ({ path }) => ({ contents: withoutDescriptions(readFileSync(path, 'utf8')), loader: 'ts' })),
};

const client = await bundle([coreBudget]);
judge(coreBudget, client.bytes, client, '');
for (const [owner, bytes] of owners(client)) console.log(`  ${kilobytes(bytes)} minified: ${owner}`);
for (const budget of budgetsBeyond) {
  const both = await bundle([coreBudget, budget]);
  judge(budget, both.bytes - client.bytes, both, ' beyond the client');
}

function judge({ door, bytesMax }: Budget, bytes: number, { files }: BrowserBundle, what: string): void {
  console.log(`${door}: ${kilobytes(bytes)} gzipped${what}, at most ${kilobytes(bytesMax)}`);
  if (bytes <= bytesMax) return;
  for (const [file, minified] of files.slice(0, 12)) console.error(`  ${kilobytes(minified)} minified: ${file}`);
  console.error(`${door} is too large: find what it should not reach, or what it can do without.`);
  process.exitCode = 1;
}

function bundle(budgets: readonly Budget[]): Promise<BrowserBundle> {
  // A name that two doors have would be left out if both were passed on plainly.
  const lines = budgets.map(({ door }, index) => `export *${index > 0 ? ` as door${index}` : ''} from '${sourceOf(door)}';`);
  const external = budgets.flatMap(({ external: brought = [] }) => brought);
  return browserBundle({ contents: lines.join('\n'), folder: root, external, plugins: [browserCharts] });
}

/** Whose bytes they are: a package's, or a folder's. */
function owners({ files }: BrowserBundle): readonly (readonly [owner: string, bytes: number])[] {
  const sums = new Map<string, number>();
  for (const [file, bytes] of files) {
    const owner = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file.split('/').slice(0, 2).join('/');
    sums.set(owner, (sums.get(owner) ?? 0) + bytes);
  }
  return [...sums].sort(([, a], [, b]) => b - a).slice(0, 8);
}

function sourceOf(door: string): string {
  const found = doors.find(({ specifier }) => specifier === door);
  if (!found) throw new Error(`${door} is no door of package.json's exports.`);
  return `${root}${found.source}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
