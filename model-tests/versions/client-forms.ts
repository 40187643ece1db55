import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridgeClient, TaskBridgeClientError, type CheckpointStore } from 'taskbridge/client/node';
import type { SocketRequest } from 'taskbridge/client/transports';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import type { TabMessage, SocketMessage } from '../../client/tabs/messages.ts';
import { stillClock, scenarioHost, runScenario } from './scenario.ts';

/** What a client keeps of a task that it watched until the second question: key and text. */
export async function checkpointTexts(): Promise<readonly string[]> {
  const texts = new Map<string, string>();
  const checkpoints: CheckpointStore = {
    read: async (key) => texts.get(key),
    write: async (key, text) => void texts.set(key, text),
    remove: async (key) => void texts.delete(key),
  };
  const host = await scenarioHost(memoryStore({ clock: stillClock }));
  try {
    await runScenario(host, async (taskId) => {
      const { lastEventId } = await host.snapshot(taskId);
      // A poll brings all of them at once, so that the projection is always equally far.
      const client = createTaskBridgeClient({
        baseUrl: host.url,
        transports: ['poll'],
        checkpoints,
        checkpointNamespace: 'alice',
        auth: () => ({ authorization: 'alice' }),
      });
      for await (const { eventId } of client.observe(taskId)) if (eventId === lastEventId) break;
      await client.close();
    });
  } finally {
    await host.close();
  }
  return [...texts].map(([key, text]) => `${key.replace(host.url, '<base>')} ${text}`);
}

/** Commands of each kind in an outbox: answered, refused, and not sent yet. */
export async function outboxTexts(): Promise<readonly string[]> {
  const store = memoryOutbox('alice');
  let drawn = 1;
  // The same ids each time, and no two alike.
  const chance = { fraction: () => (drawn = (drawn * 16_807) % 2_147_483_647) / 2_147_483_647 };
  const taskId = 'e0555555555555555555555555555555';
  let answer: () => void = () => undefined;
  const { promise: asked, resolve: ask } = deferred();
  const client = {
    start: async () => ({ taskId, status: 'RUNNING', clientRequestId: 'story', deduplicated: false }) as const,
    act: async () => {
      throw new TaskBridgeClientError('ACTION_NOT_ALLOWED', 'It does not take that.', {
        status: 409,
        details: { allowedActions: ['keep'] },
      });
    },
    async cancel() {
      const { promise, resolve } = deferred();
      answer = resolve;
      ask();
      await promise;
      return { taskId, status: 'CANCELLATION_REQUESTED' } as const;
    },
  };
  const outbox = createOutbox(client, { store, channels: null, clock: stillClock, chance });
  await outbox.start({ taskType: 'story', input: { pages: 2 }, metadata: { from: 'a test' }, clientRequestId: 'story' });
  const target = { clientRequestId: 'story' };
  const refused = await outbox.act(target, {
    suspendId: 'first',
    actionType: 'burn',
    payload: { why: 'cold' },
    clientActionId: 'the burn',
  });
  await refused.settled();
  await outbox.cancel(target, 'no longer needed');
  await asked;
  await outbox.cancel(taskId);
  const entries = await store.read();
  answer();
  await outbox.close();
  return entries.map((entry) => JSON.stringify(entry));
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

type Examples<T extends { readonly type: string }> = { readonly [K in T['type']]: Extract<T, { readonly type: K }> };

const words: readonly SocketMessage[] = [
  [1, 'opened'],
  [1, 'frame', '{}'],
  [1, 'closed', 1000],
  [1, 'cut'],
  [2, 'refused', 401, '{}', '5'],
];
const request: SocketRequest = {
  taskId: 'e0555555555555555555555555555555',
  url: 'ws://host/tasks/ws',
  protocols: ['taskbridge.v1'],
  headers: {},
  frameBytesMax: 1024,
};
const messages: Examples<TabMessage> = {
  led: { type: 'led', from: 'a' },
  resigned: { type: 'resigned', from: 'a' },
  who: { type: 'who', from: 'b' },
  open: { type: 'open', from: 'b', socket: 1, request },
  send: { type: 'send', from: 'b', socket: 1, text: '{}' },
  close: { type: 'close', from: 'b', socket: 1 },
  ask: { type: 'ask', from: 'b', sockets: [1] },
  taken: { type: 'taken', from: 'b', characters: 2 },
  left: { type: 'left', from: 'b' },
  told: { type: 'told', from: 'a', words, characters: 2 },
  here: { type: 'here', from: 'a', gone: [2] },
};

/** One message of each type between tabs. Written by hand and held by their types: another shape does not compile. */
export function tabTexts(): readonly string[] {
  return Object.values(messages).map((message) => JSON.stringify(message));
}
