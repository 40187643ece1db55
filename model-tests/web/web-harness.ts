import type { BrowserContext } from 'playwright-core';
import type { Fact, PollResponse } from 'taskbridge/wire';
import { startWebDemo, type WebDemo, type WebDemoOptions } from '../../examples/web/web-demo.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { WAIT_MS } from '../support/patience.ts';
import { startChromium, type OwnBrowser } from './chromium.ts';
import { createPageDriver, type PageDriver } from './page-driver.ts';

/** The whole demo and a browser before it, for one file of tests. */
export interface WebHarness {
  readonly demo: WebDemo;
  readonly context: BrowserContext;
  /** Opens a tab; all tabs are one person's. */
  openTab(path?: string): Promise<PageDriver>;
  /** Another device: a browser with a profile of its own, signed in under this name. */
  openDevice(name: string): Promise<PageDriver>;
  /** A task's log as the store has it, asked for at the server itself. */
  stored(taskId: string, name: string): Promise<readonly Fact[]>;
  /** Cancels a task, at the server itself; one that has ended stays as it is. */
  cancel(taskId: string, name: string): Promise<void>;
  /** What any page complained about. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Builds the page, starts the server and Chromium. */
export async function openWebHarness(
  options: Partial<WebDemoOptions> & { readonly start?: () => Promise<OwnBrowser> } = {},
): Promise<WebHarness> {
  const { path: directory, remove } = await tempFolder('web');
  const { start = startChromium, ...rest } = options;
  const demo = await startWebDemo({ directory, ...rest });
  const browser = await start();
  browser.context.setDefaultTimeout(WAIT_MS);
  const complaints: string[] = [];
  const devices: OwnBrowser[] = [];
  async function open({ context }: OwnBrowser, path: string): Promise<PageDriver> {
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    await page.goto(demo.url + path);
    return createPageDriver(page);
  }
  return {
    demo,
    context: browser.context,
    complaints,
    openTab: (path = '/') => open(browser, path),
    async openDevice(name) {
      const device = await start();
      devices.push(device);
      device.context.setDefaultTimeout(WAIT_MS);
      const tab = await open(device, '/');
      await tab.page.getByLabel('Signed in as').fill(name);
      await Promise.all([tab.page.waitForEvent('load'), tab.press('Change')]);
      return tab;
    },
    async stored(taskId, name) {
      const { token } = demo.tokens.issue(name);
      const facts: Fact[] = [];
      for (let after = ''; ;) {
        const url = `http://127.0.0.1:${demo.host.port}/api/v1/tasks/${taskId}/events?maxEvents=500&afterEventId=${after}`;
        const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
        // The server checks every fact against its schema before it writes it.
        const page = (await response.json()) as PollResponse<Fact>;
        facts.push(...page.events);
        if (!page.hasMore) return facts;
        after = page.nextAfterEventId ?? '';
      }
    },
    async cancel(taskId, name) {
      const { token } = demo.tokens.issue(name);
      const url = `http://127.0.0.1:${demo.host.port}/api/v1/tasks/${taskId}/cancel`;
      const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw new Error(`The cancel was answered ${response.status}: ${await response.text()}`);
    },
    async close() {
      for (const { close } of [browser, ...devices]) await close();
      await demo.close();
      await remove();
    },
  };
}
