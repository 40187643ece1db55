import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import WebSocket from 'ws';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHarness, type Harness } from './harness.ts';
import { completed, fact, facts, TASK, writeEvents } from '../support/scripted-server.ts';

let bundle: string;
beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../client/index.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'taskbridge',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  bundle = outputFiles[0]?.text ?? '';
});

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

/** What React Native has, and nothing else: neither `process` nor `window`, `crypto`, `structuredClone`, `Event`, `performance` … */
function bareContext(): ReturnType<typeof createContext> {
  const { fetch, ReadableStream, AbortController, AbortSignal, TextDecoder, TextEncoder, URL, URLSearchParams, FormData, Blob } =
    globalThis;
  return createContext({
    fetch,
    ReadableStream,
    AbortController,
    AbortSignal,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
    FormData,
    Blob,
    WebSocket,
    setTimeout,
    clearTimeout,
    queueMicrotask,
  });
}

describe.each(['ws', 'sse', 'poll'] as const)(
  'the bundle in a context with nothing but fetch, streams, WebSocket and timers, over %s',
  (transport) => {
    test('starts a task, watches it to its end, answers and cancels', async () => {
      const { script, baseUrl } = world.server;
      script.command = (path) =>
        path.endsWith('/tasks')
          ? [201, { taskId: TASK, status: 'ACCEPTED', clientRequestId: 'r', deduplicated: false }]
          : [
              202,
              {
                taskId: TASK,
                suspendId: 's',
                clientActionId: 'c',
                status: path.endsWith('/actions') ? 'ACCEPTED' : 'CANCELLATION_REQUESTED',
              },
            ];
      const log = [...facts(1, 3), fact(4, 'TASK_MESSAGE', { message: 'grüße 🌍' }), completed(5)];
      script.subscribed = ({ confirm, send }) => (confirm(), send(...log));
      script.stream = (response) => writeEvents(response, ...log);
      script.poll = () => ({ taskId: TASK, events: log, nextAfterEventId: '5-1000', hasMore: false });
      const context = bareContext();
      runInContext(bundle, context);
      Object.assign(context, { options: { baseUrl, transports: [transport] }, fileText: 'x,y' });
      const outcome = (await runInContext(
        `(async () => {
        const client = taskbridge.createTaskBridgeClient(options);
        const { taskId } = await client.start({ taskType: 'report', attachments: [{ fileName: 'a', content: new TextEncoder().encode(fileText) }] });
        const observation = client.observe(taskId);
        const ids = [];
        for await (const { eventId } of observation) ids.push(eventId);
        const { status } = await client.act(taskId, { suspendId: 's', actionType: 'left' });
        const cancelled = await client.cancel(taskId);
        const { task, connection } = observation.getSnapshot();
        await client.close();
        return JSON.stringify({ ids, status, cancelled: cancelled.status, state: task.state, transport: connection.transport });
      })()`,
        context,
      )) as string;
      expect(JSON.parse(outcome)).toEqual({
        ids: ['1-1000', '2-1000', '3-1000', '4-1000', '5-1000'],
        status: 'ACCEPTED',
        cancelled: 'CANCELLATION_REQUESTED',
        state: 'completed',
        transport,
      });
    });
  },
);
