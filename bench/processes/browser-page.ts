import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { chromium, type BrowserContext, type CDPSession } from 'playwright-core';
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
  /** The longest task of its main thread while something is done: processor time, as slow as it was made, in milliseconds. */
  longestTaskMs(meanwhile: () => Promise<unknown>): Promise<number>;
  /** Resolves when it shows a text. */
  shows(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens pages in a Chromium of its own. Rejects with a sentence where there is none. */
export async function startChromium(
  cleanup: CleanupStack,
): Promise<(page: 'taskbridge' | 'bare' | 'answer', port: number, taskId: string, shape?: string) => Promise<BrowserPage>> {
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
  return async (name, port, taskId, shape = '') => openPage(context, await sourceOf(name), port, `${taskId}/${TOKEN}/${shape}`);
}

async function openPage(context: BrowserContext, source: string, port: number, about: string): Promise<BrowserPage> {
  const page = await context.newPage();
  const html = `<!doctype html><meta charset="utf-8"><title>A task</title><body></body><script type="module" src="/page.js"></script>`;
  // Laid before the server's own paths, so that the page is of its origin.
  await page.route('**/page.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.route('**/page.js', (route) => route.fulfill({ contentType: 'text/javascript', body: source }));
  await page.goto(`http://127.0.0.1:${port}/page.html#${about}`);
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
    longestTaskMs: (meanwhile) => longestTaskMs(devtools, meanwhile),
    shows: (text) => page.getByText(text).waitFor({ timeout: SHOWN_MS }),
    close: () => page.close(),
  };
}

/** What Chromium tells of one piece of work; all times are microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Processor time of its thread. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Other pages of this browser do nothing meanwhile, so that the longest of all is this page's. */
async function longestTaskMs(devtools: CDPSession, meanwhile: () => Promise<unknown>): Promise<number> {
  const events: TraceEvent[] = [];
  // Chromium's own form of a trace.
  const keep = ({ value }: { readonly value: readonly object[] }): void => void events.push(...(value as readonly TraceEvent[]));
  devtools.on('Tracing.dataCollected', keep);
  const whole = new Promise((ended) => devtools.once('Tracing.tracingComplete', ended));
  const includedCategories = ['toplevel', 'disabled-by-default-devtools.timeline'];
  await devtools.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } });
  await meanwhile();
  await devtools.send('Tracing.end');
  await whole;
  devtools.off('Tracing.dataCollected', keep);
  const threads = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const mains = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = events.filter(({ name, pid, tid }) => name === 'RunTask' && mains.has(`${pid} ${tid}`));
  if (tasks.length === 0) throw new Error('Chromium does not say what the page did.');
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
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
