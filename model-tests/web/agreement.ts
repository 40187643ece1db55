import { expect } from 'vitest';
import type { WebHarness } from './web-harness.ts';
import type { PageDriver } from './page-driver.ts';

/**
 * Ends a task that still runs, from outside, and compares: what the page shows is the store's log to the letter, each fact once. Works on a page
 * that is hidden too.
 */
export async function logsAgree(web: WebHarness, ...tabs: readonly PageDriver[]): Promise<void> {
  for (const tab of tabs) {
    const [taskId, name] = [tab.taskId(), await tab.name()];
    await web.cancel(taskId, name);
    await tab.untilState('completed', 'cancelled', 'failed');
    const stored = (await web.stored(taskId, name)).map((fact) => JSON.stringify(fact));
    const shown = await tab.log(stored.length);
    expect(shown).toEqual(stored);
    expect(new Set(shown).size).toBe(shown.length);
  }
}
