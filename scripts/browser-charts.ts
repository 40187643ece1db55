/**
 * Writes beside each built chart of the client the one that bundles for browsers take in its place: without descriptions. `browser` of `package.json` says which stands in
 * for which; bundlers for browsers heed it, Node does not. Part of `npm run build`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserFile, chartFile, withoutDescriptions } from './browser-chart.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { browser } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly browser: Readonly<Record<string, string>> };

const built = ['dist/machines', 'dist/client'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => chartFile.test(file))
    .map((file) => `./${folder}/${file.replaceAll('\\', '/')}`),
);
const wanted = Object.fromEntries(built.sort().map((file) => [file, browserFile(file)]));
if (JSON.stringify(wanted) !== JSON.stringify(browser))
  throw new Error(`\`browser\` of package.json must be ${JSON.stringify(wanted, null, 2)}`);

for (const file of built) {
  const code = readFileSync(join(root, file), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  writeFileSync(join(root, browserFile(file)), withoutDescriptions(code));
}
