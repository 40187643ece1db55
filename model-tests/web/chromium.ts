import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { printed, startProcess } from '../support/child-process.ts';
import { TEST_MS } from '../support/patience.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

/** Where a Chromium is. Fails loudly where there is none: these tests are about a real browser. */
export function findChromium(): string {
  const named = process.env['CHROMIUM'];
  const found = named ?? places.find((place) => existsSync(place));
  if (found === undefined || !existsSync(found))
    throw new Error(
      `There is no Chromium at ${named ?? places.join(', ')}. Run scripts/setup.sh, or name one in the environment as CHROMIUM.`,
    );
  return found;
}

/** A browser with a profile of its own, which goes with it. */
export interface OwnBrowser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const ownProfile = (): string => mkdtempSync(join(tmpdir(), 'taskbridge-chromium-'));
const removeProfile = (profile: string): void => rmSync(profile, { recursive: true, force: true, maxRetries: 5 });

/** Starts Chromium, quiet towards the world; `switches` are more of its own. */
export async function startChromium(...switches: readonly string[]): Promise<OwnBrowser> {
  const profile = ownProfile();
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    headless: true,
    timeout: TEST_MS,
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
    args: [...quiet, ...switches],
  });
  return {
    context,
    async close() {
      await context.close();
      removeProfile(profile);
    },
  };
}

/** Starts a Chromium whose pages can be hidden and frozen: those that Playwright starts itself always believe that they are looked at. */
export async function startSleepyChromium(): Promise<OwnBrowser> {
  const profile = ownProfile();
  const args = [...quiet, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const start = () => spawn(findChromium(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const program = await startProcess('Chromium', start, (child) => printed(child, /listening on (ws:\S+)/));
  const browser = await chromium.connectOverCDP(program.said[1] ?? '', { noDefaults: true, timeout: TEST_MS });
  const [context] = browser.contexts();
  if (!context) throw new Error('Chromium has no context.');
  return {
    context,
    async close() {
      const gone = once(program.child, 'exit');
      const devtools = await browser.newBrowserCDPSession();
      // Its children end with it this way, and let the profile go.
      await Promise.race([gone, devtools.send('Browser.close').catch(() => undefined)]);
      await gone;
      removeProfile(profile);
    },
  };
}
