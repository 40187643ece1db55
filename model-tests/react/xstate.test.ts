import { enterPage, leavePage, page } from './page.ts';
import { useActor, useSelector } from '@xstate/react';
import { act, createElement as h, StrictMode, type ReactElement, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import type { TaskActor } from 'taskbridge/server';
import { fromTask, taskActor } from 'taskbridge/xstate';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bridgeOf } from '../server/bridge-of.ts';

beforeAll(enterPage);
afterAll(leavePage);

let root: Root | undefined;
afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
});

async function show(children: ReactNode): Promise<HTMLElement> {
  const place = page.createElement('div');
  root = createRoot(place);
  await act(async () => root?.render(h(StrictMode, null, children)));
  return place;
}

/** Lets React catch up until the text is there. */
async function shows(place: HTMLElement, text: string): Promise<void> {
  while (!place.textContent?.includes(text)) await act(() => new Promise((resolve) => setImmediate(resolve)));
}

async function asking() {
  const server = await bridgeOf(
    inProcess({
      ask: async (task) => {
        await task.progress(40);
        const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        return { went: actionType };
      },
    }),
  );
  const client = createTaskBridgeClient({ baseUrl: server.url, auth: () => ({ authorization: 'alice' }) });
  onTestFinished(() => client.close());
  return { server, client };
}

test('useActor runs a task of its own, in StrictMode too: one is started, shown, answered and done', async () => {
  const { client, server } = await asking();
  const logic = fromTask<{ went: string }>(client);
  let answer: (() => void) | undefined;
  let taskId: string | null = null;
  function Page(): ReactElement {
    const [snapshot, send] = useActor(logic, { input: { start: { taskType: 'ask' } } });
    const [question] = snapshot.context.task.openSuspensions;
    answer = question && (() => send({ type: 'task.act', suspendId: question.suspendId, actionType: 'left' }));
    ({ taskId } = snapshot.context);
    const { output, value, status, context } = snapshot;
    return h('p', null, `${value} ${context.task.progress?.progress ?? '–'} ${status} ${output?.went ?? ''}`);
  }
  const place = await show(h(Page));
  await shows(place, 'suspended 40 active');
  await act(async () => answer?.());
  await shows(place, 'completed 40 done left');
  const facts = await server.facts(taskId ?? '');
  expect(facts.map(({ type }) => type).filter((type) => type === 'TASK_STARTED')).toHaveLength(1);
});

test('useSelector shows parts of one that runs outside of components', async () => {
  const { client, server } = await asking();
  const actor = taskActor(client, await server.start('ask'));
  onTestFinished(() => void actor.stop());
  let renders = 0;
  function Percent(): ReactElement {
    const percent = useSelector(actor, ({ context }) => context.task.progress?.progress ?? 0);
    const waits = useSelector(actor, (now) => now.hasTag('waiting'));
    renders += 1;
    return h('p', null, `${percent} ${waits ? 'waits' : 'works'}`);
  }
  const place = await show(h(Percent));
  await shows(place, '40 waits');
  const before = renders;
  const { connection } = actor.getSnapshot().context;
  actor.send({ type: 'task.act', suspendId: actor.getSnapshot().context.task.openSuspensions[0]?.suspendId ?? '', actionType: 'left' });
  await shows(place, '40 works');
  expect(connection.state).toBe('live');
  // Twice in StrictMode.
  expect(renders - before).toBe(2);
});

test('useSelector shows an actor of the server', async () => {
  const { server } = await asking();
  const actor = await server.bridge.actor(await server.start('ask'));
  function State({ of }: { readonly of: TaskActor }): ReactElement {
    const state = useSelector(of, ({ value }) => (typeof value === 'string' ? value : value.active));
    const canCancel = useSelector(of, (now) => now.can({ type: 'task.cancel' }));
    return h('p', null, `${state} ${canCancel}`);
  }
  const place = await show(h(State, { of: actor }));
  await shows(place, 'suspended true');
  await act(async () => actor.send({ type: 'task.cancel' }));
  await shows(place, 'cancelled false');
});
