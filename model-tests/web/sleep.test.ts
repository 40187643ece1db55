import type { CDPSession } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { startSleepyChromium } from './chromium.ts';
import { openTheatre, type Theatre } from './theatre.ts';
import type { Visitor } from './visitor.ts';

let theatre: Theatre;
let visitor: Visitor;
let devtools: CDPSession;
beforeAll(async () => {
  theatre = await openTheatre({ start: startSleepyChromium });
});
afterEach(() => visitor.page.close());
afterAll(() => theatre?.close());

/** Starts a report, and notes in the page when it sleeps. */
async function begin(): Promise<string> {
  visitor = await theatre.visit();
  const taskId = await visitor.startSample('20');
  await visitor.untilProgress(1);
  await visitor.page.evaluate(() => {
    for (const type of ['freeze', 'resume']) document.addEventListener(type, () => (document.documentElement.dataset[type] = 'yes'));
  });
  // A page that was frozen by the debugger stays hidden, and a hidden page cannot be clicked.
  await visitor.log(1);
  devtools = await theatre.context.newCDPSession(visitor.page);
  return taskId;
}

/** Lets so many facts go by while the page is frozen. */
async function sleep(taskId: string, name: string, facts: number, meanwhile: () => void = () => undefined): Promise<void> {
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  meanwhile();
  const count = async (): Promise<number> => (await theatre.stored(taskId, name)).length;
  const least = (await count()) + facts;
  await expect.poll(count, { interval: 100 }).toBeGreaterThanOrEqual(least);
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await visitor.page.locator('html[data-freeze=yes][data-resume=yes]').waitFor({ state: 'attached' });
}

describe('a page that sleeps', () => {
  test('has missed nothing when it wakes', async () => {
    const taskId = await begin();
    const name = await visitor.name();
    await sleep(taskId, name, 6);
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });

  test('connects again when its connection was cut meanwhile', async () => {
    const taskId = await begin();
    const name = await visitor.name();
    await sleep(taskId, name, 4, () => theatre.stage.switchboard.cut());
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });

  test('takes a new token when its own has ended meanwhile', async () => {
    const taskId = await begin();
    const name = await visitor.name();
    const before = await visitor.page.getByTestId('token').textContent();
    await sleep(taskId, name, 4, () => theatre.stage.switchboard.expireTokens());
    await visitor.untilLiveBy('ws');
    expect(await visitor.page.getByTestId('token').textContent()).not.toBe(before);
    await logsAgree(theatre, visitor);
  });
});
