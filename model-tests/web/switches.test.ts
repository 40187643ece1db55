import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTheatre, type Theatre } from './theatre.ts';
import type { Visitor } from './visitor.ts';

let theatre: Theatre;
let visitor: Visitor;
beforeAll(async () => {
  theatre = await openTheatre();
}, 60_000);
afterEach(async () => {
  await visitor.page.close();
  await theatre.stage.switchboard.turn({ webSocket: true, sse: true, network: true, server: true });
});
afterAll(() => theatre?.close());

/** Starts a report, and waits until facts come by WebSocket. */
async function begin(): Promise<string> {
  visitor = await theatre.visit();
  const taskId = await visitor.startSample();
  await visitor.untilLiveBy('ws');
  return taskId;
}

/** The log up to the question, on the page and in the store: the same to the letter, and nothing twice. */
async function logsAgree(taskId: string): Promise<void> {
  await visitor.untilState('suspended');
  const stored = (await theatre.stored(taskId, await visitor.name())).map((fact) => JSON.stringify(fact));
  const shown = await visitor.log(stored.length);
  expect(shown).toEqual(stored);
  expect(new Set(shown).size).toBe(shown.length);
}

describe('each switch, while a report is made', { timeout: 60_000 }, () => {
  test('a cut connection comes back by itself', async () => {
    const taskId = await begin();
    const before = visitor.sockets();
    await visitor.press('Cut the connection');
    await visitor.page.waitForEvent('websocket', { predicate: () => visitor.sockets() > before });
    await visitor.untilLiveBy('ws');
    await logsAgree(taskId);
  });

  test('a blocked WebSocket leads to server-sent events, blocked those to long polling, and free ways back up', async () => {
    const taskId = await begin();
    await visitor.turn('Block WebSocket', true);
    await visitor.untilLiveBy('sse');
    await visitor.turn('Block server-sent events', true);
    await visitor.untilLiveBy('poll');
    await visitor.turn('Block server-sent events', false);
    await visitor.turn('Block WebSocket', false);
    await visitor.untilLiveBy('ws');
    await logsAgree(taskId);
  });

  test('offline nothing is tried, an answer waits in the outbox, and both go on when the network is back', async () => {
    const taskId = await begin();
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
    const taskId = await begin();
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
    await logsAgree(taskId);
  });

  test('a server that was killed is waited for, and the report goes on where it was', async () => {
    const taskId = await begin();
    await visitor.untilProgress(5);
    await visitor.turn('Stop the server', true);
    await visitor.page.locator('.connection-state:not(.live)').waitFor();
    await visitor.turn('Stop the server', false);
    await visitor.page.locator('.ladder li.current.live').waitFor();
    await visitor.untilLiveBy('ws');
    await logsAgree(taskId);
  });
});
