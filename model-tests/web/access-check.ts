import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds on the page as it stands, one line for each place. */
export async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ''}`),
  );
}

/** True where nothing makes the page wider than its window. */
export const fits = (page: Page): Promise<boolean> => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

/** Presses Tab until what has the focus is called so; every stop on the way must be seen. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const { text, isSeen } = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const words = [element.getAttribute('aria-label'), element.textContent, (element as HTMLInputElement).labels?.[0]?.textContent];
      return {
        text: words.filter(Boolean).join(' '),
        isSeen: element === document.body || getComputedStyle(element).outlineStyle !== 'none',
      };
    });
    expect(isSeen, `the focus is seen on "${text}"`).toBe(true);
    if (name.test(text)) return;
  }
  throw new Error(`Nothing that is called ${String(name)} can be reached.`);
}
