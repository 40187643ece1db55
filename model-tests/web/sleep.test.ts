import type { CDPSession } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { startSleepyChromium } from './chromium.ts';
import { openWebHarness, type WebHarness } from './web-harness.ts';
import type { PageDriver } from './page-driver.ts';

let web: WebHarness;
let tab: PageDriver;
let devtools: CDPSession;
beforeAll(async () => {
  web = await openWebHarness({ start: startSleepyChromium });
});
afterEach(() => tab.page.close());
afterAll(() => web?.close());

/** Starts a report, and notes in the page when it sleeps. */
async function begin(): Promise<string> {
  tab = await web.openTab();
  const taskId = await tab.startSample('20');
  await tab.untilProgress(1);
  await tab.page.evaluate(() => {
    for (const type of ['freeze', 'resume']) document.addEventListener(type, () => (document.documentElement.dataset[type] = 'yes'));
  });
  // A page that was frozen by the debugger stays hidden, and a hidden page cannot be clicked.
  await tab.log(1);
  devtools = await web.context.newCDPSession(tab.page);
  return taskId;
}

/** Lets so many facts go by while the page is frozen. */
async function sleep(taskId: string, name: string, facts: number, meanwhile: () => void = () => undefined): Promise<void> {
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  meanwhile();
  const count = async (): Promise<number> => (await web.stored(taskId, name)).length;
  const least = (await count()) + facts;
  await expect.poll(count, { interval: 100 }).toBeGreaterThanOrEqual(least);
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await tab.page.locator('html[data-freeze=yes][data-resume=yes]').waitFor({ state: 'attached' });
}

describe('a page that sleeps', () => {
  test('has missed nothing when it wakes', async () => {
    const taskId = await begin();
    const name = await tab.name();
    await sleep(taskId, name, 6);
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });

  test('connects again when its connection was cut meanwhile', async () => {
    const taskId = await begin();
    const name = await tab.name();
    await sleep(taskId, name, 4, () => web.demo.network.cut());
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });

  test('takes a new token when its own has ended meanwhile', async () => {
    const taskId = await begin();
    const name = await tab.name();
    const before = await tab.page.getByTestId('token').textContent();
    await sleep(taskId, name, 4, () => web.demo.network.expireTokens());
    await tab.untilLiveBy('ws');
    expect(await tab.page.getByTestId('token').textContent()).not.toBe(before);
    await logsAgree(web, tab);
  });
});
