import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { faults, fits, tabTo } from './access-check.ts';
import { answerTo, expectOnlyBeginnings, openAgentHarness, type AgentHarness, type AgentPage } from './agent-harness.ts';

/** Nothing has to be done in mid-sentence but a look. */
const QUICK_MS = 10;
const QUESTION = 'Shall we eat outside?';

let agent: AgentHarness;
let device: AgentPage;
beforeAll(async () => {
  agent = await openAgentHarness(QUICK_MS);
});
afterEach(() => device.page.close());
afterAll(() => agent?.close());

describe.each([
  ['light', 1280],
  ['light', 390],
  ['dark', 820],
  ['dark', 360],
] as const)('%s, %i pixels wide', (colorScheme, width) => {
  test('axe finds nothing on the page of the agent, and it fits: empty, asking, answering, at its end', async () => {
    device = await agent.openPage();
    const { page } = device;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 700 });
    const found: string[] = [];
    const look = async (): Promise<void> => {
      found.push(...(await faults(page)));
      expect(await fits(page)).toBe(true);
    };
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    await look();
    await device.ask(QUESTION);
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await look();
    await device.press('Allow');
    await device.untilShown(200);
    await look();
    await device.untilSaid('Used the weather.');
    await look();
    expect(found).toEqual([]);
    // The end of what grew is in sight, above what is written into.
    const ends = await page.evaluate(() =>
      ['[data-testid=answer]', 'footer'].map((of) => document.querySelector(of)?.getBoundingClientRect()),
    );
    expect(ends[0]?.bottom).toBeLessThanOrEqual(ends[1]?.top ?? 0);
  });
});

test('without a mouse a question is asked, its tool allowed, the answer stopped and asked for again', async () => {
  device = await agent.openPage();
  const { page } = device;
  await tabTo(page, /^Shall we eat outside/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  await tabTo(page, /^Allow$/);
  await page.keyboard.press('Enter');
  await device.untilShown(150);
  await tabTo(page, /^Stop$/);
  await page.keyboard.press('Enter');
  await device.untilSaid('Stopped.');
  await tabTo(page, /^Your question|Your question$/);
  await page.keyboard.type(QUESTION);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  await tabTo(page, /^Allow$/);
  await page.keyboard.press('Space');
  await device.untilSaid('Used the weather.');
  expectOnlyBeginnings(device, answerTo(QUESTION));
});

test('whoever has scrolled up stays where they read while the answer grows', async () => {
  device = await agent.openPage();
  const { page } = device;
  await page.setViewportSize({ width: 390, height: 420 });
  await device.ask(QUESTION);
  await device.press('Allow');
  await device.untilShown(500);
  await page.evaluate(() => scrollTo(0, 0));
  await device.untilSaid('Used the weather.');
  expect(await page.evaluate(() => scrollY)).toBe(0);
});
