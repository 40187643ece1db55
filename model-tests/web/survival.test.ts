import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTheatre, type Theatre } from './theatre.ts';
import type { Visitor } from './visitor.ts';

let theatre: Theatre;
const visitors: Visitor[] = [];
beforeAll(async () => {
  theatre = await openTheatre();
}, 60_000);
afterEach(async () => {
  for (const { page } of visitors.splice(0)) await page.close();
});
afterAll(() => theatre?.close());

async function visit(path?: string): Promise<Visitor> {
  const visitor = await theatre.visit(path);
  visitors.push(visitor);
  return visitor;
}

/** The log up to the question or the end, on the page and in the store. */
async function logsAgree(visitor: Visitor): Promise<void> {
  await visitor.untilState('suspended', 'completed', 'cancelled');
  const stored = (await theatre.stored(visitor.taskId(), await visitor.name())).map((fact) => JSON.stringify(fact));
  expect(await visitor.log(stored.length)).toEqual(stored);
}

describe('what happens to pages', { timeout: 60_000 }, () => {
  test('a reload goes on in the middle', async () => {
    const visitor = await visit();
    await visitor.startSample();
    await visitor.untilProgress(10);
    await visitor.page.reload();
    await visitor.untilLiveBy('ws');
    await logsAgree(visitor);
    await visitor.page.reload();
    await visitor.answer();
    await visitor.untilState('completed');
    await logsAgree(visitor);
  });

  test('two tabs share one connection, and the other takes it over when the first is closed', async () => {
    const first = await visit();
    const taskId = await first.startSample();
    await first.page.getByTestId('role').filter({ hasText: 'has the connection' }).waitFor();
    await first.untilLiveBy('ws');
    const second = await visit(`/?task=${taskId}`);
    await second.page.getByTestId('role').filter({ hasText: 'shares another tab’s' }).waitFor();
    await second.untilLiveBy('ws');
    await second.untilProgress(10);
    expect([first.open(), second.sockets()]).toEqual([1, 0]);
    await first.page.close();
    await second.page.getByTestId('role').filter({ hasText: 'has the connection' }).waitFor();
    await second.untilLiveBy('ws');
    expect(second.sockets()).toBe(1);
    await logsAgree(second);
    const third = await visit(`/?task=${taskId}`);
    await third.answer();
    await third.untilState('completed');
    await second.untilState('completed');
    await logsAgree(second);
    await logsAgree(third);
  });

  test('a browser that says that it is offline is believed', async () => {
    const visitor = await visit();
    await visitor.startSample();
    await visitor.untilLiveBy('ws');
    // The page is not told of this: it would go on trying.
    await theatre.stage.switchboard.turn({ network: false });
    await theatre.context.setOffline(true);
    await visitor.untilConnection('Offline');
    await theatre.stage.switchboard.turn({ network: true });
    await theatre.context.setOffline(false);
    await visitor.untilLiveBy('ws');
    await logsAgree(visitor);
  });
});

describe('a token with an end of its own', { timeout: 60_000 }, () => {
  test('is replaced before that end, again and again, without a lost fact', async () => {
    const brief = await openTheatre({ tokenMs: 3000 });
    try {
      const visitor = await brief.visit();
      const taskId = await visitor.startSample();
      const seen = new Set<string>();
      while (seen.size < 3) {
        await visitor.page.waitForFunction(
          (known) => !known.includes(document.querySelector('[data-testid=token]')?.textContent ?? ''),
          [...seen, ''],
        );
        seen.add((await visitor.page.getByTestId('token').textContent()) ?? '');
      }
      await visitor.untilState('suspended');
      const stored = (await brief.stored(taskId, await visitor.name())).map((fact) => JSON.stringify(fact));
      expect(await visitor.log(stored.length)).toEqual(stored);
    } finally {
      await brief.close();
    }
  });
});
