import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { patience } from '../support/patience.ts';
import { openWebHarness, type WebHarness } from './web-harness.ts';
import type { PageDriver } from './page-driver.ts';

let web: WebHarness;
const tabs: PageDriver[] = [];
beforeAll(async () => {
  web = await openWebHarness();
});
afterEach(async () => {
  for (const { page } of tabs.splice(0)) await page.close();
});
afterAll(() => web?.close());

async function openTab(path?: string): Promise<PageDriver> {
  const tab = await web.openTab(path);
  tabs.push(tab);
  return tab;
}

describe('what happens to pages', () => {
  test('a reload goes on in the middle', async () => {
    const tab = await openTab();
    await tab.startSample('20');
    await tab.untilProgress(2);
    await tab.page.reload();
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
    await tab.page.reload();
    await logsAgree(web, tab);
  });

  test('a reload asks again what was not answered, and not what was', async () => {
    const tab = await openTab();
    await tab.startSample('0');
    await tab.untilState('suspended');
    await tab.page.reload();
    await tab.answer();
    await tab.untilState('completed');
    await tab.page.reload();
    await tab.untilState('completed');
    await logsAgree(web, tab);
    expect(await tab.page.getByRole('heading', { name: 'What about the duplicates?' }).count()).toBe(0);
  });

  test('two tabs share one connection, and the other takes it over when the first is closed', async () => {
    const first = await openTab();
    const taskId = await first.startSample('20');
    await first.page.getByTestId('role').filter({ hasText: 'has the connection' }).waitFor();
    await first.untilLiveBy('ws');
    const second = await openTab(`/?task=${taskId}`);
    await second.page.getByTestId('role').filter({ hasText: 'shares another tab’s' }).waitFor();
    await second.untilLiveBy('ws');
    await second.untilProgress(1);
    expect([first.open(), second.sockets()]).toEqual([1, 0]);
    await first.page.close();
    await second.page.getByTestId('role').filter({ hasText: 'has the connection' }).waitFor();
    await second.untilLiveBy('ws');
    expect(second.sockets()).toBe(1);
    const third = await openTab(`/?task=${taskId}`);
    await third.page.getByTestId('role').filter({ hasText: 'shares another tab’s' }).waitFor();
    await third.untilLiveBy('ws');
    await logsAgree(web, second, third);
    expect([second.sockets(), third.sockets()]).toEqual([1, 0]);
  });

  test('a browser that says that it is offline is believed', async () => {
    const tab = await openTab();
    await tab.startSample('20');
    await tab.untilLiveBy('ws');
    // The page is not told of this: it would go on trying.
    await web.demo.network.turn({ network: false });
    await web.context.setOffline(true);
    await tab.page.waitForFunction(() => !navigator.onLine);
    await tab.untilConnection('Offline');
    await web.demo.network.turn({ network: true });
    await web.context.setOffline(false);
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });
});

describe('a token with an end of its own', () => {
  test('is replaced before that end, again and again, without a lost fact', async () => {
    const brief = await openWebHarness({ tokenMs: patience(5000) });
    try {
      const tab = await brief.openTab();
      await tab.startSample('20');
      const seen = new Set<string>();
      while (seen.size < 3) {
        await tab.page.waitForFunction(
          (known) => !known.includes(document.querySelector('[data-testid=token]')?.textContent ?? ''),
          [...seen, ''],
        );
        seen.add((await tab.page.getByTestId('token').textContent()) ?? '');
      }
      await logsAgree(brief, tab);
    } finally {
      await brief.close();
    }
  });
});
