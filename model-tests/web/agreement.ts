import { expect } from 'vitest';
import type { Theatre } from './theatre.ts';
import type { Visitor } from './visitor.ts';

/**
 * Ends a task that still runs, from outside, and compares: what the page shows is the store's log to the letter, each fact once. Works on a page
 * that is hidden too.
 */
export async function logsAgree(theatre: Theatre, ...visitors: readonly Visitor[]): Promise<void> {
  for (const visitor of visitors) {
    const [taskId, name] = [visitor.taskId(), await visitor.name()];
    await theatre.cancel(taskId, name);
    await visitor.untilState('completed', 'cancelled', 'failed');
    const stored = (await theatre.stored(taskId, name)).map((fact) => JSON.stringify(fact));
    const shown = await visitor.log(stored.length);
    expect(shown).toEqual(stored);
    expect(new Set(shown).size).toBe(shown.length);
  }
}
