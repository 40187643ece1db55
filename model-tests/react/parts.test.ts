import { enterPage, leavePage, page } from './page.ts';
import { act, createElement as h, useEffect, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import { taskParts, type PartView } from 'taskbridge/client/parts';
import { usePart, useTask, type FrameScheduler } from 'taskbridge/react';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { turns } from '../support/eventually.ts';
import { createScriptedServer, fact, TASK } from '../support/scripted-server.ts';
import { untilShown } from './client-page.ts';

beforeAll(enterPage);
afterAll(leavePage);

const EPOCH = 'e1';
const opened = fact(1, 'TASK_PART_OPENED', { name: 'answer', kind: 'text' });
const first = { type: 'PART', taskId: TASK, part: 1, at: 0, to: 1, eventId: '1-1000', name: 'answer', kind: 'text', snapshot: true };

/** Frames that are drawn when the test says so. */
function frames(): { readonly schedule: FrameScheduler; readonly waiting: number; draw(): void } {
  let waiting: (() => void)[] = [];
  return {
    schedule(draw) {
      waiting.push(draw);
      return () => void (waiting = waiting.filter((one) => one !== draw));
    },
    get waiting() {
      return waiting.length;
    },
    draw() {
      const all = waiting;
      waiting = [];
      for (const draw of all) draw();
    },
  };
}

async function scripted(makesParts: boolean): Promise<{ readonly client: TaskBridgeClient; send(...frames: readonly object[]): void }> {
  const server = await createScriptedServer();
  const client = createTaskBridgeClient({ baseUrl: server.baseUrl, transports: ['ws'], ...(makesParts && { parts: taskParts() }) });
  let push: ((...frames: readonly object[]) => void) | undefined;
  server.script.subscribed = ({ confirm, send }) => (confirm(['gap', 'parts']), (push = send), send(opened));
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { client, send: (...sent) => push?.(...sent) };
}

test('a component that uses a part renders once a frame, with all that has come, and no other renders', async () => {
  const { client, send } = await scripted(true);
  const drawn = frames();
  const root = createRoot(page.createElement('div'));
  onTestFinished(() => act(async () => root.unmount()));
  const renders = { answer: 0, task: 0, page: 0 };
  let shown: PartView | undefined;
  let state = '';
  const Answer = (): ReactElement => {
    const part = usePart(client, TASK, 'answer', drawn);
    useEffect(() => {
      shown = part;
      renders.answer += 1;
    });
    return h('p', null, part?.text ?? '…');
  };
  const Task = (): ReactElement => {
    const { connection, task } = useTask(client, TASK);
    useEffect(() => {
      state = task.lastEventId ?? connection.state;
      renders.task += 1;
    });
    return h('p', null, task.state);
  };
  const Page = (): ReactElement => {
    useEffect(() => void (renders.page += 1));
    return h('div', null, h(Answer), h(Task));
  };
  await act(async () => root.render(h(Page)));
  await untilShown(() => state === '1-1000');
  await act(() => turns(3));
  await act(async () => drawn.draw());
  expect(shown).toMatchObject({ part: 1, name: 'answer', kind: 'text', text: '', open: true });

  const before = { ...renders };
  let text = '';
  for (let frame = 0; frame < 10; frame += 1) {
    for (let token = 0; token < 20; token += 1) {
      const at = text.length;
      text += String.fromCharCode(97 + ((frame + token) % 26));
      const common = { at, to: at + 1, text: text.slice(at) };
      send(at === 0 ? { ...first, ...common, epoch: EPOCH } : { type: 'PART', taskId: TASK, part: 1, ...common });
      await act(() => turns(2));
    }
    expect(renders).toEqual({ ...before, answer: before.answer + frame });
    while (drawn.waiting === 0) await act(() => turns(1));
    await act(async () => drawn.draw());
    expect(renders.answer).toBe(before.answer + frame + 1);
    expect(text.startsWith(shown?.text ?? '?')).toBe(true);
  }
  while (shown?.text !== text) await act(async () => (await turns(5), drawn.draw()));
  expect(renders.task).toBe(before.task);
  expect(renders.page).toBe(before.page);
});

test('a part that nobody shows any more asks for no frame', async () => {
  const { client, send } = await scripted(true);
  const shownFrames = frames();
  const root = createRoot(page.createElement('div'));
  const seen: string[] = [];
  const Answer = (): null => {
    const part = usePart(client, TASK, 'answer', { schedule: shownFrames.schedule });
    if (part) seen.push(part.text);
    return null;
  };
  await act(async () => root.render(h(Answer)));
  while (seen.length === 0) await act(async () => (await turns(5), shownFrames.draw()));
  send({ ...first, text: 'a', epoch: EPOCH });
  await untilShown(() => shownFrames.waiting > 0);
  await act(async () => root.unmount());
  expect(shownFrames.waiting).toBe(0);
});

test('a page whose client takes no parts is told what to give', async () => {
  const { client } = await scripted(false);
  const root = createRoot(page.createElement('div'));
  const Answer = (): null => (usePart(client, TASK, 'answer'), null);
  const message = expect.stringContaining('taskParts()') as string;
  await expect(act(async () => root.render(h(Answer)))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message });
});
