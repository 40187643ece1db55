import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const demoPage = fileURLToPath(new URL('page', import.meta.url));

/** Builds a page, this demo's or another one, into a directory. The doors of the house are its own source, as everywhere in this repository. */
export async function buildPage(directory: string, page: string = demoPage): Promise<void> {
  await build({
    root: page,
    configFile: false,
    logLevel: 'warn',
    resolve: { tsconfigPaths: true },
    // The chart's layout engine runs in a worker of its own and is loaded when a chart is.
    build: { outDir: resolve(directory), emptyOutDir: true, chunkSizeWarningLimit: 2000 },
  });
}
