import { enterPage, leavePage, page } from './page.ts';
import { act, createElement as h, memo, useEffect, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { useTask, type UsedTask } from 'taskbridge/react';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { turn } from '../support/eventually.ts';
import { createScriptedServer, fact, TASK } from '../support/scripted-server.ts';

beforeAll(enterPage);
afterAll(leavePage);

const ROUNDS = 5;
const FACTS_BETWEEN = 31;

/** Five questions, each asked and answered, with progress between: 320 facts, ten of which change what is open. */
function* log(): Generator<object> {
  let n = 0;
  const progress = function* (): Generator<object> {
    for (let left = FACTS_BETWEEN; left > 0; left -= 1) yield fact((n += 1));
  };
  for (let round = 1; round <= ROUNDS; round += 1) {
    const suspendId = `s${round}`;
    yield* progress();
    yield fact((n += 1), 'TASK_SUSPENDED', {
      suspendId,
      kind: 'USER_ACTION_REQUIRED',
      reasonCode: 'R',
      allowedActions: ['a'],
      schemaVersion: 1,
    });
    yield* progress();
    yield fact((n += 1), 'TASK_ACTION_ACCEPTED', { suspendId, clientActionId: 'c', actionType: 'a', acceptedAt: '2026-01-01T00:00:00Z' });
  }
}

test('a memoised list of questions renders when they change, not with each of 320 facts, and the page once a fact', async () => {
  const server = await createScriptedServer();
  const client = createTaskBridgeClient({ baseUrl: server.baseUrl, transports: ['ws'] });
  const root = createRoot(page.createElement('div'));
  onTestFinished(async () => {
    await act(async () => root.unmount());
    await client.close();
    await server.close();
  });
  let push: ((one: object) => void) | undefined;
  server.script.subscribed = ({ confirm, send }) => (confirm(), (push = send));

  const renders = { page: 0, questions: 0 };
  let shown: UsedTask | undefined;
  const Questions = memo(({ open }: { readonly open: UsedTask['task']['openSuspensions'] }): ReactElement => {
    useEffect(() => void (renders.questions += 1));
    return h('ul', null, String(open.length));
  });
  const Page = (): ReactElement => {
    const used = useTask(client, TASK);
    useEffect(() => {
      shown = used;
      renders.page += 1;
    });
    return h(Questions, { open: used.task.openSuspensions });
  };
  const shows = async (isShown: (used: UsedTask) => boolean): Promise<void> => {
    while (!shown || !isShown(shown)) await act(turn);
  };
  await act(async () => root.render(h(Page)));
  await shows(({ connection }) => connection.state === 'live');

  const before = { ...renders };
  for (const one of log()) {
    push?.(one);
    await shows(({ task }) => task.lastEventId === (one as { readonly eventId: string }).eventId);
  }
  expect(renders.questions - before.questions).toBe(2 * ROUNDS);
  expect(renders.page - before.page).toBe(2 * ROUNDS * (FACTS_BETWEEN + 1));
});
