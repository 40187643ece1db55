import { once } from 'node:events';
import { createWebSocketInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { isFact } from 'taskbridge/client';
import { namedSessions } from 'taskbridge/xstate';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.ts';
import { bridgeOf } from './bridge-of.ts';

/** Stately's own relay, and all that it passes on. */
async function relay(): Promise<{ readonly url: string; readonly arrived: StatelyInspectionEvent[] }> {
  const port = await freePort();
  const server = createInspectorServer({ port, autoOpen: false });
  onTestFinished(() => server.stop());
  const url = `ws://127.0.0.1:${port}`;
  const arrived: StatelyInspectionEvent[] = [];
  const receiver = new WebSocket(url);
  receiver.on('message', (data: Buffer) => arrived.push(JSON.parse(data.toString()) as StatelyInspectionEvent));
  await once(receiver, 'open');
  onTestFinished(() => receiver.terminate());
  return { url, arrived };
}

/** An inspector of one process, as in `server/README.md`. */
function inspectorOf(name: string, url: string) {
  const inspector = createWebSocketInspector({ url, serialize: namedSessions(name) });
  onTestFinished(() => inspector.stop());
  return inspector.inspect;
}

test('one relay of Stately’s shows a task on server and client: each actor under its parent, each decision, fact and transition', async () => {
  const { url, arrived } = await relay();
  const { bridge: _, ...server } = await bridgeOf(
    inProcess({
      ask: async (task) => {
        await task.progress(50);
        return (await task.suspend('sure', { reasonCode: 'SURE', allowedActions: ['yes'] })).actionType;
      },
    }),
    { inspect: inspectorOf('server', url) },
  );
  const client = createTaskBridgeClient({
    baseUrl: server.url,
    auth: () => ({ authorization: 'alice' }),
    inspect: inspectorOf('client', url),
  });
  onTestFinished(() => client.close());
  const { taskId } = await client.start({ taskType: 'ask' });
  for await (const fact of client.observe(taskId, { lastEventId: '' })) {
    if (!isFact(fact, 'TASK_SUSPENDED')) continue;
    const { suspendId } = fact.payload;
    await client.act(taskId, { suspendId, actionType: 'no' }).catch(() => undefined);
    await client.act(taskId, { suspendId, actionType: 'yes' });
  }
  await client.cancel(taskId);
  const log = (await server.facts(taskId)).map(({ type }) => type);

  const actors = () => arrived.filter((event) => event.type === '@xstate.actor');
  const pathOf = (sessionId: string | undefined): string => {
    const made = actors().find((actor) => actor.sessionId === sessionId);
    if (!made) return '';
    const process = made.sessionId.split('/')[0] ?? '';
    return made.parentId === undefined ? `${process}: ${made.name}` : `${pathOf(made.parentId)} > ${made.name}`;
  };
  const told = (path: string) =>
    arrived.filter((event) => event.type === '@xstate.event').filter(({ sessionId }) => pathOf(sessionId) === path);
  const typesTold = (path: string): string[] =>
    told(path)
      .map(({ event }) => event.type)
      .filter((type) => !type.startsWith('xstate.'));
  const root = `server: ${taskId}`;
  await vi.waitFor(() => expect(typesTold(root)).toContain('task.cancel'));
  const decisions = told(root).filter(({ event }) => 'source' in event) as { event: { type: string; source?: string; refusal?: string } }[];
  expect(decisions.map(({ event: { type, source, refusal } }) => [type, source, refusal ?? 'taken'])).toEqual([
    ['task.create', 'http', 'taken'],
    ['report.started', 'work', 'taken'],
    ['report.progress', 'work', 'taken'],
    ['report.suspended', 'work', 'taken'],
    ['action.submit', 'http', 'ACTION_NOT_ALLOWED'],
    ['action.submit', 'http', 'taken'],
    ['report.completed', 'work', 'taken'],
    ['task.cancel', 'http', 'ALREADY_TERMINAL'],
  ]);
  for (const process of ['server', 'client']) {
    const at = `${process}: ${taskId}`;
    await vi.waitFor(() => expect(typesTold(`${at} > task`)).toEqual(log));
    const [question = ''] = actors()
      .map(({ sessionId }) => pathOf(sessionId))
      .filter((path) => path.startsWith(`${at} > questions.`));
    await vi.waitFor(() => expect(typesTold(question)).toEqual(['TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED']));
    const values = arrived.flatMap((event) =>
      event.type === '@xstate.snapshot' && pathOf(event.sessionId) === `${at} > task`
        ? [(event.snapshot as { value?: unknown }).value]
        : [],
    );
    expect([...new Set(values.map((value) => JSON.stringify(value)))]).toEqual(
      expect.arrayContaining(['{"active":"running"}', '{"active":"suspended"}', '"completed"']),
    );
  }
  const paths = new Set(actors().map(({ sessionId }) => pathOf(sessionId)));
  expect(paths).toContain(`${root} > attempt`);
  expect(paths).toContain(`client: ${taskId}/transport > ws`);
  // Nobody is without the parent that he names.
  expect([...paths].filter((path) => path === '' || path.includes(':  >'))).toEqual([]);
});
