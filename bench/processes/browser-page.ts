import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { chromium, type BrowserContext } from 'playwright-core';
import { TOKEN } from '../systems/system.ts';
import type { CleanupStack } from './cleanup-stack.ts';

/** So much slower than this machine is the one that a page is tried on. */
const THROTTLED = 4;
const SHOWN_MS = 30_000;
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

/** A page in Chromium that shows a task. */
export interface BrowserPage {
  /** Processor time that its main thread has used, as slow as it was made, in milliseconds. */
  busyMs(): Promise<number>;
  /** Resolves when it shows a text. */
  shows(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens pages in a Chromium of its own. Rejects with a sentence where there is none. */
export async function startChromium(
  cleanup: CleanupStack,
): Promise<(page: 'taskbridge' | 'bare', port: number, taskId: string) => Promise<BrowserPage>> {
  const executablePath = process.env['CHROMIUM'] ?? places.find((place) => existsSync(place));
  if (executablePath === undefined)
    throw new Error('There is no Chromium: run scripts/setup.sh, or name one in the environment as CHROMIUM.');
  const profile = await mkdtemp(join(tmpdir(), 'taskbridge-bench-page-'));
  // A page that is laid before its server is of no network, and may not speak to this machine by the browser's rules.
  const ours = ['--disable-features=LocalNetworkAccessChecks'];
  const args = [...ours, '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args });
  cleanup.add(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return async (name, port, taskId) => openPage(context, await sourceOf(name), port, taskId);
}

async function openPage(context: BrowserContext, source: string, port: number, taskId: string): Promise<BrowserPage> {
  const page = await context.newPage();
  const html = `<!doctype html><meta charset="utf-8"><title>A task</title><body></body><script type="module" src="/page.js"></script>`;
  // Laid before the server's own paths, so that the page is of its origin.
  await page.route('**/page.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.route('**/page.js', (route) => route.fulfill({ contentType: 'text/javascript', body: source }));
  await page.goto(`http://127.0.0.1:${port}/page.html#${taskId}/${TOKEN}`);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLED });
  return {
    async busyMs() {
      const { metrics } = await devtools.send('Performance.getMetrics');
      const busy = metrics.find(({ name }) => name === 'TaskDuration');
      if (!busy) throw new Error('Chromium does not say how busy the page is.');
      return busy.value * 1000;
    },
    shows: (text) => page.getByText(text).waitFor({ timeout: SHOWN_MS }),
    close: () => page.close(),
  };
}

async function sourceOf(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [resolve(`bench/page/${name}.tsx`)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}
