import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { patience } from '../support/patience.ts';
import { openTheatre, type Theatre } from './theatre.ts';
import type { Visitor } from './visitor.ts';

let theatre: Theatre;
const visitors: Visitor[] = [];
beforeAll(async () => {
  theatre = await openTheatre();
});
afterEach(async () => {
  for (const { page } of visitors.splice(0)) await page.close();
});
afterAll(() => theatre?.close());

async function visit(path?: string): Promise<Visitor> {
  const visitor = await theatre.visit(path);
  visitors.push(visitor);
  return visitor;
}

describe('what happens to pages', () => {
  test('a reload goes on in the middle', async () => {
    const visitor = await visit();
    await visitor.startSample('20');
    await visitor.untilProgress(2);
    await visitor.page.reload();
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
    await visitor.page.reload();
    await logsAgree(theatre, visitor);
  });

  test('a reload asks again what was not answered, and not what was', async () => {
    const visitor = await visit();
    await visitor.startSample('0');
    await visitor.untilState('suspended');
    await visitor.page.reload();
    await visitor.answer();
    await visitor.untilState('completed');
    await visitor.page.reload();
    await visitor.untilState('completed');
    await logsAgree(theatre, visitor);
    expect(await visitor.page.getByRole('heading', { name: 'What about the duplicates?' }).count()).toBe(0);
  });

  test('two tabs share one connection, and the other takes it over when the first is closed', async () => {
    const first = await visit();
    const taskId = await first.startSample('20');
    await first.page.getByTestId('role').filter({ hasText: 'has the connection' }).waitFor();
    await first.untilLiveBy('ws');
    const second = await visit(`/?task=${taskId}`);
    await second.page.getByTestId('role').filter({ hasText: 'shares another tab’s' }).waitFor();
    await second.untilLiveBy('ws');
    await second.untilProgress(1);
    expect([first.open(), second.sockets()]).toEqual([1, 0]);
    await first.page.close();
    await second.page.getByTestId('role').filter({ hasText: 'has the connection' }).waitFor();
    await second.untilLiveBy('ws');
    expect(second.sockets()).toBe(1);
    const third = await visit(`/?task=${taskId}`);
    await third.page.getByTestId('role').filter({ hasText: 'shares another tab’s' }).waitFor();
    await third.untilLiveBy('ws');
    await logsAgree(theatre, second, third);
    expect([second.sockets(), third.sockets()]).toEqual([1, 0]);
  });

  test('a browser that says that it is offline is believed', async () => {
    const visitor = await visit();
    await visitor.startSample('20');
    await visitor.untilLiveBy('ws');
    // The page is not told of this: it would go on trying.
    await theatre.stage.switchboard.turn({ network: false });
    await theatre.context.setOffline(true);
    await visitor.untilConnection('Offline');
    await theatre.stage.switchboard.turn({ network: true });
    await theatre.context.setOffline(false);
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });
});

describe('a token with an end of its own', () => {
  test('is replaced before that end, again and again, without a lost fact', async () => {
    const brief = await openTheatre({ tokenMs: patience(5000) });
    try {
      const visitor = await brief.visit();
      await visitor.startSample('20');
      const seen = new Set<string>();
      while (seen.size < 3) {
        await visitor.page.waitForFunction(
          (known) => !known.includes(document.querySelector('[data-testid=token]')?.textContent ?? ''),
          [...seen, ''],
        );
        seen.add((await visitor.page.getByTestId('token').textContent()) ?? '');
      }
      await logsAgree(brief, visitor);
    } finally {
      await brief.close();
    }
  });
});
