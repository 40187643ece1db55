import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { openTheatre, type Theatre } from './theatre.ts';
import type { Visitor } from './visitor.ts';

let theatre: Theatre;
let visitor: Visitor;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterEach(async () => {
  await visitor.page.close();
  await theatre.stage.switchboard.turn({ webSocket: true, sse: true, network: true, server: true });
});
afterAll(() => theatre?.close());

/** Starts a report, and waits until facts come by WebSocket. */
async function begin(): Promise<void> {
  visitor = await theatre.visit();
  await visitor.startSample('20');
  await visitor.untilLiveBy('ws');
}

describe('each switch, while a report is made', () => {
  test('a cut connection comes back by itself', async () => {
    await begin();
    const before = visitor.sockets();
    // Asked for before it can come: it may be there before the press is over.
    const another = visitor.page.waitForEvent('websocket', { predicate: () => visitor.sockets() > before });
    await visitor.press('Cut the connection');
    await another;
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });

  test('a blocked WebSocket leads to server-sent events, blocked those to long polling, and free ways back up', async () => {
    await begin();
    await visitor.turn('Block WebSocket', true);
    await visitor.untilLiveBy('sse');
    await visitor.turn('Block server-sent events', true);
    await visitor.untilLiveBy('poll');
    await visitor.turn('Block server-sent events', false);
    await visitor.turn('Block WebSocket', false);
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });

  test('offline nothing is tried, an answer waits in the outbox, and both go on when the network is back', async () => {
    visitor = await theatre.visit();
    const taskId = await visitor.startSample('0');
    await visitor.untilState('suspended');
    await visitor.turn('Go offline', true);
    await visitor.untilConnection('Offline');
    await visitor.answer('Drop them all');
    await visitor.page.getByText('They go out when the network is back.').waitFor();
    await visitor.turn('Go offline', false);
    await visitor.untilLiveBy('ws');
    await visitor.page.getByText('Answer “drop-both” arrived').waitFor();
    await visitor.untilState('completed');
    const stored = (await theatre.stored(taskId, await visitor.name())).map((fact) => JSON.stringify(fact));
    expect(await visitor.log(stored.length)).toEqual(stored);
    expect(stored.filter((line) => line.includes('TASK_ACTION_ACCEPTED'))).toHaveLength(1);
  });

  test('an expired token is replaced, twice', async () => {
    await begin();
    const token = visitor.page.getByTestId('token');
    const seen = new Set([await token.textContent()]);
    for (const count of [2, 3]) {
      await visitor.press('Expire the token');
      await visitor.page.waitForFunction(
        (known) => !known.includes(document.querySelector('[data-testid=token]')?.textContent ?? ''),
        [...seen].map(String),
      );
      await visitor.untilLiveBy('ws');
      seen.add(await token.textContent());
      expect(seen.size).toBe(count);
    }
    await logsAgree(theatre, visitor);
  });

  test('a server that was killed is waited for, and the report goes on where it was', async () => {
    await begin();
    await visitor.untilProgress(1);
    await visitor.turn('Stop the server', true);
    await visitor.page.locator('.connection-state:not(.live)').waitFor();
    await visitor.turn('Stop the server', false);
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });

  test('a page that is loaded while there is no server says so, and waits for it', async () => {
    await begin();
    await visitor.turn('Stop the server', true);
    await visitor.page.reload();
    await visitor.page.getByTestId('state').filter({ hasText: 'not reached yet' }).waitFor();
    await visitor.turn('Stop the server', false);
    await visitor.untilLiveBy('ws');
    await logsAgree(theatre, visitor);
  });
});
