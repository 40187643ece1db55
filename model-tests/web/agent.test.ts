import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { scriptOf } from '../../examples/agent/scripted-model.ts';
import { answerTo, expectOnlyBeginnings, openAgentHarness, type AgentHarness, type AgentPage } from './agent-harness.ts';

const QUESTION = 'Do I need a coat? 🧥';
/** Within a sentence of the second paragraph. */
const MID_SENTENCE = 200;
const END = 'Used the weather.';

let agent: AgentHarness;
let device: AgentPage;
beforeAll(async () => {
  agent = await openAgentHarness();
});
afterEach(async () => {
  await device.page.close();
  // What one test leaves is not the next one's.
  await agent.context.setOffline(false);
});
afterAll(() => agent?.close());

/** Asks, lets the tool be used, and waits until the answer is in mid-sentence. */
async function untilMidSentence(): Promise<void> {
  device = await agent.openPage();
  await device.ask(QUESTION);
  await device.press('Allow');
  await device.untilShown(MID_SENTENCE);
}

describe('in mid-sentence', () => {
  test('a reload goes on with the sentence', async () => {
    await untilMidSentence();
    await device.page.reload();
    await device.untilShown(MID_SENTENCE);
    await device.page.reload();
    await device.untilSaid(END);
    expectOnlyBeginnings(device, answerTo(QUESTION));
  });

  test('a network that is gone for a while leaves no hole and nothing twice', async () => {
    await untilMidSentence();
    // A browser keeps an open socket while it believes that it is offline.
    await agent.context.setOffline(true);
    // Before the page knows, it would be back at once.
    await device.page.waitForFunction(() => !navigator.onLine);
    expect(agent.demo.proxy.cut()).toBeGreaterThan(0);
    await device.lastTurn().getByText('Offline.').waitFor();
    await agent.context.setOffline(false);
    await device.untilSaid(END);
    expectOnlyBeginnings(device, answerTo(QUESTION));
  });

  test('a connection that is cut at the press of a button comes back by itself', async () => {
    await untilMidSentence();
    await device.press('Cut the connection');
    await device.untilShown(2 * MID_SENTENCE);
    await device.press('Cut the connection');
    await device.untilSaid(END);
    expectOnlyBeginnings(device, answerTo(QUESTION));
  });

  test('a host that is killed with kill -9 and started again on its store goes on, and so does the page', async () => {
    await untilMidSentence();
    const { pid } = agent.demo.host;
    await device.press('Kill the server');
    await device.untilSaid(END);
    expect(agent.demo.host.pid).not.toBe(pid);
    expectOnlyBeginnings(device, answerTo(QUESTION));
  });

  test('a page that is loaded while there is no host goes on when there is one', async () => {
    await untilMidSentence();
    await agent.demo.host.kill();
    await device.page.reload();
    await device.page.getByText('One moment …').waitFor();
    await agent.demo.host.restart();
    await device.untilSaid(END);
    expectOnlyBeginnings(device, answerTo(QUESTION));
  });

  test('a second device that comes then shows the same from its first moment, and both live through a cut and what is asked on the other one', async () => {
    const second = await agent.openDevice('about:blank');
    await untilMidSentence();
    await second.page.goto(device.page.url());
    await second.untilShown(MID_SENTENCE);
    await device.page.reload();
    await second.press('Cut the connection');
    await Promise.all([device.untilSaid(END), second.untilSaid(END)]);
    expectOnlyBeginnings(device, answerTo(QUESTION));
    expectOnlyBeginnings(second, answerTo(QUESTION));
    await second.ask('And tomorrow?');
    await device.press('Allow');
    await Promise.all([device.untilSaid(END), second.untilSaid(END)]);
    expect([device.shown.at(-1), second.shown.at(-1)]).toEqual([answerTo('And tomorrow?'), answerTo('And tomorrow?')]);
    await second.page.close();
  });

  test('the answer is stopped where it is, stays so after a reload, and is asked for again', async () => {
    await untilMidSentence();
    await device.press('Stop');
    await device.untilSaid('Stopped.');
    const stopped = device.shown.at(-1) ?? '';
    expect(stopped.length).toBeLessThan(answerTo(QUESTION).length);
    await device.page.reload();
    await device.untilSaid('Stopped.');
    await expect.poll(() => device.shown.at(-1)).toBe(stopped);
    await device.press('Ask again');
    await device.press('Allow');
    await device.untilSaid(END);
    expect(await device.page.getByTestId('answer').count()).toBe(2);
    expectOnlyBeginnings(device, answerTo(QUESTION));
  });
});

describe('before it uses its tool', () => {
  test('the agent asks, waits through a kill of its host, and does without where it may not', async () => {
    device = await agent.openPage();
    await device.ask(QUESTION);
    await device.page.getByRole('button', { name: 'Allow' }).waitFor();
    await expect.poll(() => device.shown.at(-1)).toBe(scriptOf({ question: QUESTION }));
    await agent.demo.host.kill();
    await agent.demo.host.restart();
    await device.press('No');
    await device.untilSaid('Used no tool.');
    expectOnlyBeginnings(device, scriptOf({ question: QUESTION, weather: null }));
  });
});

test('no page has complained', () => {
  expect(agent.complaints).toEqual([]);
});
