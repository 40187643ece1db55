import type { BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { startAgentDemo, type AgentDemo } from '../../examples/agent/agent-demo.ts';
import { scriptOf } from '../../examples/agent/scripted-model.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { patience, WAIT_MS } from '../support/patience.ts';
import { startChromium, type OwnBrowser } from './chromium.ts';

/** Slow enough to do something in mid-sentence. */
const WORD_MS = patience(20);
const weather = 'windy, and dry until six';

/** Somebody before the page of the agent, on a device of their own; every text of its last answer that was ever on it is kept. */
export interface AgentPage {
  readonly page: Page;
  /** What was shown of the last answer, each time that it was another, over all loads of the page. */
  readonly shown: readonly string[];
  ask(question: string): Promise<void>;
  press(name: string): Promise<void>;
  /** Resolves when so many characters of the last answer are shown. */
  untilShown(characters: number): Promise<void>;
  /** Resolves when this is said of the last answer. */
  untilSaid(ending: string): Promise<void>;
  lastTurn(): Locator;
}

/** The page of the agent, its host, and a browser before it, for one file of tests. */
export interface AgentHarness {
  readonly demo: AgentDemo;
  readonly context: BrowserContext;
  /** What any page complained about. */
  readonly complaints: readonly string[];
  openPage(url?: string): Promise<AgentPage>;
  /** The page at this address, or nothing yet, in a browser with a profile of its own. */
  openDevice(url: string): Promise<AgentPage>;
  close(): Promise<void>;
}

/** All of an answer whose tool was allowed. */
export const answerTo = (question: string): string => scriptOf({ question, weather });

/** That nothing was ever shown but beginnings of a text, and in the end all of it. */
export function expectOnlyBeginnings({ shown }: AgentPage, text: string): void {
  expect(shown.filter((one) => !text.startsWith(one))).toEqual([]);
  expect(shown.at(-1)).toBe(text);
}

/** Builds the page, starts the host and Chromium. The model rests so many milliseconds before each word. */
export async function openAgentHarness(wordMs = WORD_MS): Promise<AgentHarness> {
  const { path: directory, remove } = await tempFolder('agent-page');
  const demo = await startAgentDemo({ directory, wordMs });
  const complaints: string[] = [];
  const browsers: OwnBrowser[] = [];
  async function start(): Promise<OwnBrowser> {
    const browser = await startChromium();
    browsers.push(browser);
    browser.context.setDefaultTimeout(WAIT_MS);
    return browser;
  }
  const own = await start();
  async function open({ context }: OwnBrowser, url: string): Promise<AgentPage> {
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    const shown = await keepShown(page);
    await page.goto(url);
    return createAgentPage(page, shown);
  }
  return {
    demo,
    context: own.context,
    complaints,
    openPage: (url = demo.url) => open(own, url),
    openDevice: async (url) => open(await start(), url),
    async close() {
      for (const { close } of browsers) await close();
      await demo.close();
      await remove();
    },
  };
}

/** Has the page tell of each change of its last answer, from before its first line runs, whenever it is loaded. */
async function keepShown(page: Page): Promise<readonly string[]> {
  const shown: string[] = [];
  await page.exposeFunction('noteShown', (text: string) => void shown.push(text));
  await page.addInitScript(() => {
    let last = '';
    // Paragraphs are what stands between two empty lines.
    const look = (): void => {
      const answer = [...document.querySelectorAll('[data-testid=answer]')].at(-1);
      const text = [...(answer?.querySelectorAll('p') ?? [])].map((paragraph) => paragraph.textContent).join('\n\n');
      if (text === last) return;
      last = text;
      (globalThis as unknown as { noteShown(text: string): void }).noteShown(text);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
  });
  return shown;
}

function createAgentPage(page: Page, shown: readonly string[]): AgentPage {
  const lastTurn = (): Locator => page.locator('[data-task]').last();
  return {
    page,
    shown,
    lastTurn,
    async ask(question) {
      await page.getByLabel('Your question').fill(question);
      await page.keyboard.press('Enter');
    },
    press: (name) => page.getByRole('button', { name, exact: true }).click(),
    async untilShown(characters) {
      await page.waitForFunction(
        (least) => ([...document.querySelectorAll('[data-testid=answer]')].at(-1)?.textContent ?? '').length >= least,
        characters,
      );
    },
    untilSaid: (ending) => lastTurn().getByTestId('ending').filter({ hasText: ending }).waitFor(),
  };
}
