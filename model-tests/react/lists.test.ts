import { enterPage, leavePage } from './page.ts';
import { act, createElement as h, type ReactElement } from 'react';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { inProcess } from 'taskbridge/adapters/in-process';
import { useMessages, useOutbox, type UsedMessages, type UsedOutbox } from 'taskbridge/react';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { handGate } from '../outbox/outbox-harness.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { clientOf, show, untilShown } from './client-page.ts';

beforeAll(enterPage);
afterAll(leavePage);

test('useMessages keeps the newest messages, says that there were earlier ones, and renders a burst at once', async () => {
  const server = await bridgeOf(
    inProcess({
      talk: async (task) => {
        for (let n = 1; n <= 30; n += 1) await task.message(`line ${n}`);
        return {};
      },
    }),
  );
  const taskId = await server.start('talk');
  const client = clientOf(server.url);
  while ((await client.get(taskId)).state !== 'completed');
  let renders = 0;
  const shown: Partial<Record<'none' | 'few' | 'all', UsedMessages>> = {};
  const Page = ({ which, max }: { readonly which: 'none' | 'few' | 'all'; readonly max?: number }): ReactElement => {
    renders += 1;
    shown[which] = useMessages(taskId, max === undefined ? undefined : { max });
    return h('p');
  };
  await show({ client }, [
    h(Page, { key: 0, which: 'none', max: 0 }),
    h(Page, { key: 1, which: 'few', max: 3 }),
    h(Page, { key: 2, which: 'all' }),
  ]);
  await untilShown(() => shown.few?.messages.at(-1)?.payload.message.includes('30') === true && shown.all?.messages.length === 30);
  expect(shown.few).toMatchObject({ hasEarlier: true, messages: [{}, {}, {}] });
  expect(shown.all?.hasEarlier).toBe(false);
  await untilShown(() => shown.none?.hasEarlier === true);
  expect(shown.none?.messages).toEqual([]);
  // In StrictMode each is drawn twice, mounted twice; a render a message would be ninety.
  expect(renders).toBeLessThan(60);
});

test('useOutbox shows what waits and what became of it', async () => {
  const server = await bridgeOf(inProcess({ echo: async () => ({}) }));
  const client = clientOf(server.url);
  const gate = handGate(false);
  const outbox = createOutbox(client, { store: memoryOutbox('ada'), gate });
  onTestFinished(() => outbox.close());
  let shown: UsedOutbox | undefined;
  const Page = (): ReactElement => {
    shown = useOutbox(outbox);
    return h('p', null, `${shown.pending} ${shown.entries.map(({ state }) => state).join(' ')}`);
  };
  const place = await show({ client }, h(Page));
  await act(async () => void (await shown?.start({ taskType: 'echo' })));
  await untilShown(() => place.textContent === '1 queued');
  gate.set(true);
  await untilShown(() => place.textContent === '0 done');
  await act(async () => void (await shown?.dismiss()));
  await untilShown(() => place.textContent === '0 ');
});
