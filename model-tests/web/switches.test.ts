import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { openWebHarness, type WebHarness } from './web-harness.ts';
import type { PageDriver } from './page-driver.ts';

let web: WebHarness;
let tab: PageDriver;
beforeAll(async () => {
  web = await openWebHarness();
});
afterEach(async () => {
  await tab.page.close();
  await web.demo.network.turn({ webSocket: true, sse: true, network: true, server: true });
});
afterAll(() => web?.close());

/** Starts a report, and waits until facts come by WebSocket. */
async function begin(): Promise<void> {
  tab = await web.openTab();
  await tab.startSample('20');
  await tab.untilLiveBy('ws');
}

describe('each switch, while a report is made', () => {
  test('a cut connection comes back by itself', async () => {
    await begin();
    const before = tab.sockets();
    // Asked for before it can come: it may be there before the press is over.
    const another = tab.page.waitForEvent('websocket', { predicate: () => tab.sockets() > before });
    await tab.press('Cut the connection');
    await another;
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });

  test('a blocked WebSocket leads to server-sent events, blocked those to long polling, and free ways back up', async () => {
    await begin();
    await tab.turn('Block WebSocket', true);
    await tab.untilLiveBy('sse');
    await tab.turn('Block server-sent events', true);
    await tab.untilLiveBy('poll');
    await tab.turn('Block server-sent events', false);
    await tab.turn('Block WebSocket', false);
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });

  test('offline nothing is tried, an answer waits in the outbox, and both go on when the network is back', async () => {
    tab = await web.openTab();
    const taskId = await tab.startSample('0');
    await tab.untilState('suspended');
    const second = await web.openTab(`/?task=${taskId}`);
    await second.untilState('suspended');
    await tab.turn('Go offline', true);
    await tab.untilConnection('Offline');
    await tab.answer('Drop them all');
    // The other tab knows that there is an answer.
    await second.page.getByRole('button', { name: 'Sending …', disabled: true }).waitFor();
    await second.page.close();
    await tab.page.getByText('They go out when the network is back.').waitFor();
    await tab.turn('Go offline', false);
    await tab.untilLiveBy('ws');
    await tab.page.getByText('Answer “drop-both” arrived').waitFor();
    await tab.untilState('completed');
    const stored = (await web.stored(taskId, await tab.name())).map((fact) => JSON.stringify(fact));
    expect(await tab.log(stored.length)).toEqual(stored);
    expect(stored.filter((line) => line.includes('TASK_ACTION_ACCEPTED'))).toHaveLength(1);
  });

  test('an expired token is replaced, twice', async () => {
    await begin();
    const token = tab.page.getByTestId('token');
    const seen = new Set([await token.textContent()]);
    for (const count of [2, 3]) {
      await tab.press('Expire the token');
      await tab.page.waitForFunction(
        (known) => !known.includes(document.querySelector('[data-testid=token]')?.textContent ?? ''),
        [...seen].map(String),
      );
      await tab.untilLiveBy('ws');
      seen.add(await token.textContent());
      expect(seen.size).toBe(count);
    }
    await logsAgree(web, tab);
  });

  test('a server that was killed is waited for, and the report goes on where it was', async () => {
    await begin();
    await tab.untilProgress(1);
    await tab.turn('Stop the server', true);
    await tab.page.locator('.connection-state:not(.live)').waitFor();
    await tab.turn('Stop the server', false);
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });

  test('a page that is loaded while there is no server says so, and waits for it', async () => {
    await begin();
    await tab.turn('Stop the server', true);
    await tab.page.reload();
    await tab.page.getByTestId('state').filter({ hasText: 'not reached yet' }).waitFor();
    await tab.turn('Stop the server', false);
    await tab.untilLiveBy('ws');
    await logsAgree(web, tab);
  });
});
