import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { faults, fits, tabTo } from './access-check.ts';
import { openWebHarness, type WebHarness } from './web-harness.ts';
import { createPageDriver, type PageDriver } from './page-driver.ts';

let web: WebHarness;
let tab: PageDriver;
let asked = '';
let finished = '';
beforeAll(async () => {
  web = await openWebHarness();
  const first = await web.openTab();
  asked = await first.startSample('0');
  await first.untilState('suspended');
  await first.page.goto(web.demo.url);
  finished = await first.startSample('0');
  await first.answer();
  await first.untilState('completed');
  await first.page.close();
});
afterEach(() => tab.page.close());
afterAll(() => web?.close());

/** Tables and charts that do not fit into what they stand in, or hide a part of themselves. */
const clipped = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('.question table, .chart-drawing')].flatMap((drawn) => {
      const [inner, outer] = [drawn.getBoundingClientRect(), drawn.parentElement?.getBoundingClientRect()];
      const isWhole = outer && inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && drawn.scrollWidth <= drawn.clientWidth;
      return isWhole
        ? []
        : [`${drawn.closest('[aria-labelledby]')?.querySelector('h2, h3')?.textContent}: ${inner.left} to ${inner.right}`];
    }),
  );

describe.each([
  ['light', 1280],
  ['light', 390],
  ['dark', 820],
  ['dark', 360],
] as const)('%s, %i pixels wide', (colorScheme, width) => {
  test('axe finds nothing, and the page fits', async () => {
    tab = await web.openTab();
    const { page } = tab;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    await tab.report(finished, 'completed').waitFor();
    const found = [...(await faults(page))];
    expect(await fits(page)).toBe(true);
    for (const taskId of [asked, finished]) {
      await page.goto(`${web.demo.url}/?task=${taskId}`);
      await tab.untilState('suspended', 'completed');
      await page.locator('.chart-drawing').nth(2).waitFor();
      // The answer whose form has fields.
      if (taskId === asked) await page.getByRole('radio', { name: 'Keep one by its place' }).check();
      found.push(...(await faults(page)));
      expect(await fits(page)).toBe(true);
      expect(await clipped(page)).toEqual([]);
    }
    expect(found).toEqual([]);
    const above = await page.evaluate(() => {
      const top = (id: string): number => document.getElementById(id)?.getBoundingClientRect().top ?? 0;
      return { log: top('log'), trouble: top('trouble') };
    });
    expect(above.log < above.trouble, 'the log comes before the switches').toBe(width < 900);
  });
});

describe('without a mouse', () => {
  test('a report is started, watched, answered and taken away', async () => {
    tab = await web.openTab();
    const { page } = tab;
    // Chromium has to be told before the key is pressed that somebody waits for the dialog.
    const chosen = page.waitForEvent('filechooser');
    await tabTo(page, /^Choose a file/);
    await page.keyboard.press('Enter');
    expect((await chosen).isMultiple()).toBe(false);
    await tabTo(page, /Work/);
    await page.keyboard.press('Home');
    await page.reload();
    // Before it stands there, the keys below would go elsewhere.
    await page.getByLabel('Work').waitFor();
    await tabTo(page, /Work/);
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\?task=/);
    await tab.untilState('suspended');
    await tabTo(page, /^Keep the first/);
    await page.keyboard.press('ArrowDown');
    await tabTo(page, /^Answer$/);
    await page.keyboard.press('Enter');
    await tab.untilState('completed');
    expect(await page.evaluate(() => document.activeElement?.id), 'the focus is not lost with the form').toBe('task');
    await tabTo(page, /^Download the cleaned file/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(download.suggestedFilename()).toBe('orders-cleaned.csv');
    const stored = await web.stored(tab.taskId(), await tab.name());
    expect(stored.find(({ type }) => type === 'TASK_ACTION_ACCEPTED')?.payload).toMatchObject({ actionType: 'keep-last' });
  });

  test('each switch turns, and a report is cancelled with a reason', async () => {
    tab = await web.openTab();
    const { page } = tab;
    await tab.startSample('20');
    await tab.untilLiveBy('ws');
    await tabTo(page, /^Block WebSocket/);
    await page.keyboard.press('Space');
    await tab.untilLiveBy('sse');
    await page.getByRole('switch', { name: 'Block WebSocket', disabled: false }).focus();
    await page.keyboard.press('Space');
    await tab.untilLiveBy('ws');
    await tabTo(page, /^Cancel the report …/);
    await page.keyboard.press('Enter');
    await tabTo(page, /^Reason/);
    await page.keyboard.type('by hand');
    await page.keyboard.press('Enter');
    await tab.untilState('cancelled');
    const last = (await web.stored(tab.taskId(), await tab.name())).at(-1);
    expect(last?.payload).toMatchObject({ reason: 'by hand' });
  });
});

test('a second visitor sees what the first has started', async () => {
  tab = createPageDriver(await web.context.newPage());
  await tab.page.goto(web.demo.url);
  await tab.page
    .getByRole('link', { name: /^orders\.csv/ })
    .first()
    .click();
  await tab.page.getByTestId('state').waitFor();
});
