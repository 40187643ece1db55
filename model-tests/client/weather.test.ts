import { createServer, connect } from 'node:net';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClientReport, TaskBridgeClientError } from 'taskbridge/client';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import type { WebSocketConstructor } from 'taskbridge/client/transports';
import { onLoopback } from '../conformance/suite/loopback.ts';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, fact, TASK, writeEvents } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const page = (...events: object[]): object => ({ taskId: TASK, events, nextAfterEventId: null, hasMore: false });
/** A proxy's own page. */
const html = (response: ServerResponse, status: number): void =>
  void response.writeHead(status, { 'content-type': 'text/html', location: '/login' }).end('<html>Sign in</html>');

/** A front that passes bytes on, until it answers everything itself. */
async function openFront(
  target: string,
): Promise<{ readonly url: string; speak(status: number | undefined): void; close(): Promise<void> }> {
  let status: number | undefined;
  const body = '<html>Not here</html>';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (status !== undefined) {
      const head = `HTTP/1.1 ${status} X\r\ncontent-type: text/html\r\nlocation: /login\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
      return void socket.once('data', () => socket.end(head + body));
    }
    const behind = connect(Number(new URL(target).port), '127.0.0.1').on('error', () => socket.destroy());
    socket
      .on('close', () => behind.destroy())
      .pipe(behind)
      .pipe(socket);
  });
  const { url, sockets, close } = await onLoopback(server);
  return {
    url,
    speak(next) {
      status = next;
      for (const socket of sockets) socket.destroy();
    },
    close,
  };
}

describe('a proxy that speaks for a moment', () => {
  test.each([400, 403, 404, 405, 421, 200, 302])('and answers %i ends no observation that was live', async (status) => {
    const { script, seen } = world.server;
    let times = 0;
    script.subscribed = ({ confirm, send }) => {
      times += 1;
      confirm();
      send(times === 1 ? fact(1) : completed(2));
    };
    script.stream = (response) => writeEvents(response, completed(2));
    script.poll = () => page(completed(2));
    const front = await openFront(world.server.baseUrl);
    let losses = 0;
    const onReport = ({ type }: ClientReport): void => void (type === 'lost' && (losses += 1));
    const observation = world.client({ baseUrl: front.url, onReport }).observe(TASK);
    const all = numbers(observation);
    await until(observation, ({ task }) => task.lastEventId === '1-1000');
    front.speak(status);
    await eventually(() => losses > 5);
    front.speak(undefined);
    expect(await all).toEqual([1, 2]);
    expect(seen.length).toBeGreaterThan(1);
    await front.close();
  });

  test('is no word of the server’s before that was heard: other ways are tried, and it again by climbing', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    script.upgrade = 403;
    script.stream = (response) => html(response, 200);
    script.poll = (query) => (query.get('waitTimeoutMs') === '0' ? page(fact(1)) : undefined);
    const observation = world.client({ clock, limits: { pollGraceMs: 10_000_000 } }).observe(TASK);
    await until(observation, ({ task }) => task.lastEventId === '1-1000');
    // Each once, and without a rest.
    expect(seen.slice(0, 3)).toEqual(['ws', 'sse', 'poll']);
    script.upgrade = () => undefined;
    clock.advance(30_000);
    await until(observation, ({ connection }) => connection.transport === 'ws' && connection.state === 'live');
    observation.close();
  });

  test('before anything else was heard holds an observation up, and does not end it', async () => {
    const { script, seen } = world.server;
    script.upgrade = 404;
    script.stream = (response) => html(response, 404);
    script.poll = () => (seen.length < 9 ? [404, { message: 'no Route matched' }] : page(completed(1)));
    expect(await numbers(world.client().observe(TASK))).toEqual([1]);
  });

  test.each([
    [404, {}],
    [403, { message: 'Forbidden' }],
    [423, { code: 7, message: 'locked by nobody' }],
    [408, {}],
  ] as const)('and answers a command %i %j costs a try', async (status, body) => {
    let times = 0;
    world.server.script.command = () => ((times += 1) < 3 ? [status, body] : [201, { taskId: TASK, status: 'ACCEPTED' }]);
    expect(await world.client().start({ taskType: 'report' })).toMatchObject({ taskId: TASK });
    expect(times).toBe(3);
    times = -100;
    await expect(world.client({ limits: { commandRetriesMax: 1 } }).cancel(TASK)).rejects.toMatchObject({ status, retryable: true });
    expect(times).toBe(-98);
  });

  test('and answers a command with a page costs a try, and so does an answer without what makes it one', async () => {
    let times = 0;
    world.server.script.command = () => ((times += 1) < 3 ? [200, times === 1 ? [] : {}] : [201, { taskId: TASK, status: 'ACCEPTED' }]);
    expect(await world.client().start({ taskType: 'report' })).toMatchObject({ taskId: TASK });
    expect(times).toBe(3);
  });

  test('loses no command of an outbox: it rests, and is sent again', async () => {
    let times = 0;
    world.server.script.command = () => ((times += 1) < 3 ? [405, {}] : [201, { taskId: TASK, status: 'ACCEPTED' }]);
    const client = world.client({ limits: { commandRetriesMax: 0 } });
    const outbox = createOutbox(client, { store: memoryOutbox('ann'), limits: { restBaseMs: 1, restMaxMs: 2 } });
    const { settled } = await outbox.start({ taskType: 'report' });
    expect(await settled()).toMatchObject({ state: 'done' });
    expect(times).toBe(3);
    await outbox.close();
  });

  test('and what the server itself says is final, as it was', async () => {
    let times = 0;
    world.server.script.command = () => ((times += 1), [404, { code: 'TASK_NOT_FOUND', message: 'No such task.' }]);
    const failed = await world
      .client()
      .cancel(TASK)
      .catch((error: unknown) => error as TaskBridgeClientError);
    expect(failed).toMatchObject({ code: 'TASK_NOT_FOUND', retryable: false });
    expect(times).toBe(1);
  });
});

describe('a transport that says nothing', () => {
  /** Sockets are swallowed and streams held; polls are answered. */
  function swallow(): void {
    const { script } = world.server;
    script.subscribed = () => undefined;
    script.stream = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    script.poll = (query) => (query.get('waitTimeoutMs') === '0' ? page(fact(1)) : undefined);
  }

  test('has a poll asked beside it after two seconds, which brings the facts; after five it is left out, and so is the next', async () => {
    const clock = fakeClock();
    swallow();
    const { seen, open } = world.server;
    const told: string[] = [];
    const listener = {
      onWsSetupFailed: () => void told.push('ws'),
      onSseSetupFailed: () => void told.push('sse'),
      onFallbackToPolling: () => void told.push('polling'),
    };
    const observation = world.client({ clock, listener }).observe(TASK);
    await eventually(() => seen.length === 1 && clock.next === 2_000);
    clock.advance(1_999);
    expect([seen, observation.getSnapshot().connection.state]).toEqual([['ws'], 'connecting']);
    clock.advance(1);
    const first = await until(observation, ({ task }) => task.lastEventId === '1-1000');
    expect(first.connection).toMatchObject({ transport: 'poll', state: 'live', climbing: true });
    clock.advance(3_000);
    await eventually(() => seen.includes('sse'));
    expect(told).toEqual(['polling', 'ws']);
    // A socket that nobody waits for is closed.
    await eventually(() => open.size === 2);
    clock.advance(2_000);
    clock.advance(28_000);
    await until(observation, ({ connection }) => !connection.climbing);
    expect(told).toEqual(['polling', 'ws', 'sse']);
    observation.close();
  });

  test('is not left out where the poll beside it is as slow: the network is', async () => {
    const clock = fakeClock();
    swallow();
    const { script, seen } = world.server;
    let confirm: (() => void) | undefined;
    script.subscribed = (subscription) => (confirm = () => (subscription.confirm(), subscription.send(fact(1))));
    script.poll = () => undefined;
    const observation = world.client({ clock }).observe(TASK);
    await eventually(() => seen.length === 1 && clock.next === 2_000);
    clock.advance(2_000);
    await eventually(() => seen.includes('poll'));
    clock.advance(20_000);
    expect(observation.getSnapshot().connection).toMatchObject({ transport: 'ws', state: 'connecting' });
    confirm?.();
    const live = await until(observation, ({ task }) => task.lastEventId === '1-1000');
    expect(live.connection).toMatchObject({ transport: 'ws', state: 'live' });
    expect(seen).toEqual(['ws', 'poll']);
    observation.close();
  });

  test('keeps nobody from the server’s word: the poll beside it is refused', async () => {
    const clock = fakeClock();
    swallow();
    const { script, seen } = world.server;
    script.poll = () => [404, { code: 'TASK_NOT_FOUND', message: 'No such task.' }];
    const observation = world.client({ clock }).observe(TASK);
    await eventually(() => seen.length === 1 && clock.next === 2_000);
    clock.advance(2_000);
    await until(observation, ({ connection }) => connection.error?.code === 'TASK_NOT_FOUND');
  });

  test('is tried again by climbing, later each time, and delivers again once it speaks', async () => {
    const clock = fakeClock();
    swallow();
    const { script, seen } = world.server;
    const observation = world.client({ clock, eventStreamTries: 0, limits: { pollGraceMs: 10_000_000 } }).observe(TASK);
    await eventually(() => seen.length === 1 && clock.next === 2_000);
    clock.advance(2_000);
    await until(observation, ({ task }) => task.lastEventId === '1-1000');
    clock.advance(3_000);
    await until(observation, ({ connection }) => !connection.climbing);
    const sockets = (): number => seen.filter((name) => name === 'ws').length;
    clock.advance(59_000);
    expect(sockets()).toBe(1);
    clock.advance(1_000);
    await eventually(() => sockets() === 2);
    clock.advance(30_000);
    await until(observation, ({ connection }) => !connection.climbing);
    script.subscribed = ({ confirm, send }) => (confirm(), send(completed(2)));
    clock.advance(119_000);
    expect(sockets()).toBe(2);
    clock.advance(1_000);
    await until(observation, ({ connection }) => connection.state === 'done');
    expect(observation.getSnapshot().connection.transport).toBe('ws');
  });

  test('beside which only a stream may be asked has that asked', async () => {
    const clock = fakeClock();
    swallow();
    const { script, seen } = world.server;
    script.stream = (response) => writeEvents(response, fact(1));
    const observation = world.client({ clock, transports: ['ws', 'sse'] }).observe(TASK);
    await eventually(() => seen.length === 1 && clock.next === 2_000);
    clock.advance(2_000);
    const first = await until(observation, ({ task }) => task.lastEventId === '1-1000');
    expect(first.connection).toMatchObject({ transport: 'sse', state: 'live' });
    observation.close();
  });

  test('is a loss where a WebSocket tells an error and no close', async () => {
    class Blocked {
      readyState = 0;
      onerror?: () => void;
      constructor() {
        queueMicrotask(() => {
          this.readyState = 3;
          this.onerror?.();
        });
      }
      close(): void {
        this.readyState = 3;
      }
    }
    world.server.script.stream = (response) => writeEvents(response, completed(1));
    const client = world.client({ WebSocket: Blocked as unknown as WebSocketConstructor });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
  });
});

describe('another network', () => {
  /** A gate that is set. */
  function newGate() {
    const listeners = new Set<(open: boolean) => void>();
    let isOpen = true;
    return {
      listeners,
      isOpen: () => isOpen,
      subscribe: (listener: (open: boolean) => void) => (listeners.add(listener), () => void listeners.delete(listener)),
      set(open: boolean) {
        isOpen = open;
        for (const listener of [...listeners]) listener(open);
      },
    };
  }

  /** The first socket tells a fact and is dead from then on; polls are answered at once. */
  function dying(): void {
    const { script } = world.server;
    let sockets = 0;
    script.subscribed = ({ confirm, send }) => {
      sockets += 1;
      confirm();
      send(...(sockets === 1 ? [fact(1)] : [fact(2)]));
    };
    script.poll = () => page();
  }

  test.each(['the gate opens again', 'the platform tells of it', 'the app asks for it'])(
    'has what is live tested as soon as %s, and opened anew where the server answers',
    async (how) => {
      const clock = fakeClock();
      const gate = newGate();
      const changes = new Set<() => void>();
      const networkChanges = { subscribe: (listener: () => void) => (changes.add(listener), () => void changes.delete(listener)) };
      dying();
      const { seen } = world.server;
      const observation = world.client({ clock, gate, networkChanges }).observe(TASK);
      await until(observation, ({ task }) => task.lastEventId === '1-1000');
      if (how.startsWith('the gate')) gate.set(false);
      expect(observation.getSnapshot().connection.state).toBe('live');
      if (how.startsWith('the gate')) gate.set(true);
      else if (how.startsWith('the app')) observation.reconnect();
      else changes.forEach((tell) => tell());
      // No time passes.
      await until(observation, ({ task, connection }) => task.lastEventId === '2-1000' && connection.state === 'live');
      expect(seen).toEqual(['ws', 'poll', 'ws']);
      observation.close();
      expect([gate.listeners.size, changes.size, clock.armed]).toEqual([0, 0, []]);
    },
  );

  test('that cannot be reached leaves what is live alone', async () => {
    const clock = fakeClock();
    dying();
    const { script, seen, open } = world.server;
    script.poll = () => [503, {}];
    const observation = world.client({ clock }).observe(TASK);
    await until(observation, ({ task }) => task.lastEventId === '1-1000');
    observation.reconnect();
    await eventually(() => seen.includes('poll') && open.size === 1);
    expect(observation.getSnapshot().connection).toMatchObject({ state: 'live', transport: 'ws' });
    observation.close();
  });

  test('cuts a rest short, but not one that the server asked for', async () => {
    for (const [retryAfter, times] of [
      [undefined, 2],
      ['7', 1],
    ] as const) {
      const clock = fakeClock();
      const { script } = world.server;
      let streams = 0;
      script.stream = (response) => {
        streams += 1;
        response.writeHead(503, retryAfter ? { 'retry-after': retryAfter } : {}).end();
      };
      const observation = world.client({ clock, transports: ['sse'] }).observe(TASK);
      await until(observation, ({ connection }) => connection.state === 'waiting');
      observation.reconnect();
      if (times === 2) await eventually(() => streams === 2);
      expect(streams).toBe(times);
      observation.close();
    }
  });
});
