import type { ClientReport, TaskBridgeClientError } from 'taskbridge/client';
import type { TaskBridgeClientOptions } from 'taskbridge/client/node';
import { processLocks, tabSockets, type ChannelPort } from 'taskbridge/client/tabs';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { multiplexed, type SocketPort, type WebSocketConstructor } from 'taskbridge/client/transports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { completed, TASK, writeEvents } from '../support/scripted-server.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
  const { script } = world.server;
  script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
  script.stream = (response) => writeEvents(response, completed(1));
  script.poll = () => ({ taskId: TASK, events: [completed(1)], nextAfterEventId: '1-1000', hasMore: false, terminal: true });
});
afterEach(() => world.close());

const cause = new TypeError('It threw.');
const throws = (): never => {
  throw cause;
};
const throwing: SocketPort = { sendsHeaders: true, open: throws };
const mute: SocketPort = { sendsHeaders: true, open: () => ({ send: throws, close: throws }) };
/** Opens, and throws when it is sent on and when it is closed. */
const broken: SocketPort = {
  sendsHeaders: true,
  open(_, listener) {
    queueMicrotask(() => listener.opened());
    return { send: throws, close: throws };
  },
};
class Blocked {
  constructor() {
    throws();
  }
}
const iterate = (observation: AsyncIterable<unknown>): Promise<unknown> => observation[Symbol.asyncIterator]().next();

/** A client that reports, and what it has reported. */
function reporting(options: Partial<TaskBridgeClientOptions>) {
  const reports: ClientReport[] = [];
  return { client: world.client({ ...options, onReport: (report) => reports.push(report) }), reports };
}

describe('a port that throws while a connection is opened', () => {
  test.each<[string, Partial<TaskBridgeClientOptions>]>([
    ['a WebSocket constructor', { WebSocket: Blocked as unknown as WebSocketConstructor }],
    ['sockets', { sockets: throwing }],
    ['sockets that are shared', { sockets: multiplexed(throwing) }],
    ['sockets that cannot be sent on', { sockets: broken }],
    ['sockets that are shared and cannot be sent on', { sockets: multiplexed(broken) }],
    ['sockets of tabs that share nothing', { sockets: tabSockets({ name: 'alone', sockets: throwing, locks: null, channels: null }) }],
    ['an interceptor', { intercept: (plain) => ({ ...plain, sockets: throwing }) }],
  ])('has lost it at once, with a reason, and the next transport is tried: %s', async (_, options) => {
    const judged: TaskBridgeClientError[] = [];
    const { client, reports } = reporting({
      ...options,
      webSocketTries: 2,
      classify: (failure) => void judged.push(failure),
      // Whoever waited for it would wait in vain.
      limits: { openMs: 3_000_000 },
    });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
    const lost = { type: 'lost', taskId: TASK, transport: 'ws', reason: 'network: It threw.' };
    expect(reports).toEqual([lost, lost]);
    expect(judged).toMatchObject(Array.from({ length: 2 }, () => ({ code: 'NETWORK_ERROR', retryable: true, cause })));
    expect(world.server.seen).toEqual(['sse']);
  });

  test.each(['sse', 'poll'] as const)('has lost it also where a fetch throws instead of rejecting, by %s', async (transport) => {
    let calls = 0;
    const { client, reports } = reporting({
      transports: [transport],
      fetch: (...args) => ((calls += 1) <= 2 ? throws() : fetch(...args)),
    });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
    const lost = { type: 'lost', taskId: TASK, transport, reason: 'network: It threw.' };
    expect(reports).toEqual([lost, lost]);
    const commands = world.client({ fetch: throws, limits: { commandRetriesMax: 1 } });
    await expect(commands.get(TASK)).rejects.toMatchObject({ code: 'NETWORK_ERROR', retryable: true, cause });
  });

  test('ends the observation where classify says that it is final', async () => {
    const classify = ({ cause: found }: TaskBridgeClientError): 'final' | undefined => (found === cause ? 'final' : undefined);
    for (const options of [{ sockets: throwing }, { fetch: throws, transports: ['sse'] as const }])
      await expect(iterate(world.client({ ...options, classify }).observe(TASK))).rejects.toMatchObject({ code: 'NETWORK_ERROR', cause });
  });

  test('frees what it can where even closing throws', async () => {
    const observation = world.client({ sockets: mute }).observe(TASK);
    await eventually(() => observation.getSnapshot().connection.state === 'connecting');
    observation.close();
    expect(observation.getSnapshot().connection.state).toBe('closed');
  });

  test('has no word on a failure where it is classify that throws', async () => {
    const { client, reports } = reporting({ sockets: throwing, webSocketTries: 1, classify: throws });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
    expect(reports.map(({ type }) => type).sort()).toEqual(['hook', 'lost']);
  });
});

describe('a gate, or what tells of another network,', () => {
  const none = undefined as unknown as () => void;
  test.each<[string, string[], Partial<TaskBridgeClientOptions>]>([
    ['throws when it is asked', ['gate'], { gate: { isOpen: throws, subscribe: () => () => undefined } }],
    ['throws when it is listened to', ['gate'], { gate: { isOpen: () => true, subscribe: throws } }],
    ['throws when it is left', ['gate'], { gate: { isOpen: () => true, subscribe: () => throws } }],
    ['gives nothing to leave it by', [], { gate: { isOpen: () => true, subscribe: () => none } }],
    ['throws when it is listened to', ['networkChanges'], { networkChanges: { subscribe: throws } }],
    ['throws when it is left', ['networkChanges'], { networkChanges: { subscribe: () => throws } }],
    ['gives nothing to leave it by', [], { networkChanges: { subscribe: () => none } }],
  ])('that %s ends nothing, and is reported by its name: %j', async (_, hooks, options) => {
    const { client, reports } = reporting(options);
    world.server.script.command = () => [200, { taskId: TASK, status: 'CANCEL_REQUESTED' }];
    expect(await numbers(client.observe(TASK))).toEqual([1]);
    await client.cancel(TASK);
    await client.close();
    expect(reports.filter(({ type }) => type !== 'hook')).toEqual([]);
    expect([...new Set(reports.map((report) => 'hook' in report && report.hook))]).toEqual(hooks);
    expect(reports.every((report) => 'cause' in report && report.cause === cause)).toBe(true);
  });

  test('that throws leaves an outbox at work', async () => {
    world.server.script.command = () => [200, { taskId: TASK, status: 'CANCEL_REQUESTED' }];
    const outbox = createOutbox(world.client(), { store: memoryOutbox('a'), gate: { isOpen: throws, subscribe: throws } });
    const { id } = await outbox.cancel(TASK);
    expect(await outbox.settled(id)).toMatchObject({ state: 'done' });
    await outbox.close();
  });
});

describe('a route that throws', () => {
  const routes = { webSocket: throws, stream: throws, events: throws, cancel: throws, task: throws, tasks: throws, actions: throws };
  const failure = {
    code: 'INVALID_ARGUMENT',
    retryable: false,
    cause,
    message: expect.stringMatching(/^The route "\w+" failed: It threw\.$/) as string,
  };

  test.each(['ws', 'sse', 'poll'] as const)('is final at once, with its cause, and nothing is sent, by %s', async (transport) => {
    const client = world.client({ routes, transports: [transport] });
    await expect(iterate(client.observe(TASK))).rejects.toMatchObject(failure);
    expect(world.server.seen).toEqual([]);
  });

  test('is no other error of any command', async () => {
    const client = world.client({ routes });
    const act = { suspendId: 's', actionType: 'yes' };
    const calls = [() => client.start({ taskType: 't' }), () => client.act(TASK, act), () => client.cancel(TASK), () => client.get(TASK)];
    for (const call of calls) await expect(call()).rejects.toMatchObject(failure);
  });

  test('passes where classify says so', async () => {
    let calls = 0;
    const client = world.client({
      routes: { webSocket: () => ((calls += 1) === 1 ? throws() : '/api/v1/tasks/ws') },
      classify: () => 'retry',
    });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
  });
});

test('a leading tab whose sockets throw lives on, and the tab that follows is told at once', async () => {
  const listeners = new Map<string, Set<(message: unknown) => void>>();
  const channels: ChannelPort = {
    open(name, onMessage) {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(onMessage));
      return {
        post: (message) => all.forEach((one) => one !== onMessage && queueMicrotask(() => one(message))),
        close: () => void all.delete(onMessage),
      };
    },
  };
  const settings = { name: 'ann', locks: processLocks(), channels };
  const leading = tabSockets({ ...settings, sockets: throwing });
  await eventually(() => leading.getSnapshot() === 'leading');
  const following = tabSockets({ ...settings, sockets: throwing });
  const { client, reports } = reporting({ sockets: following, webSocketTries: 1, limits: { openMs: 3_000_000 } });
  expect(await numbers(client.observe(TASK))).toEqual([1]);
  expect(reports).toEqual([{ type: 'lost', taskId: TASK, transport: 'ws', reason: 'not opened' }]);
  expect([leading.getSnapshot(), following.getSnapshot()]).toEqual(['leading', 'following']);
  following.close();
  leading.close();
});
