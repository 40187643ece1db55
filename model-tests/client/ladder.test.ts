import type { ClientReport } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, fact, facts, snapshotAt, TASK, writeEvents } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

describe('going down', () => {
  test('rules out a WebSocket and a stream that the server does not have', async () => {
    const { script, seen } = world.server;
    script.upgrade = 404;
    script.stream = (response) => void response.writeHead(405).end();
    let polls = 0;
    script.poll = () => ({
      taskId: TASK,
      events: (polls += 1) < 4 ? [fact(polls)] : [completed(polls)],
      nextAfterEventId: `${polls}-1000`,
      hasMore: false,
    });
    expect(await numbers(world.client().observe(TASK))).toEqual([1, 2, 3, 4]);
    expect(seen).toEqual(['ws', 'sse', 'poll', 'poll', 'poll', 'poll']);
  });

  test('tries a WebSocket that only ever confirms three times, then the stream', async () => {
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, cut }) => (confirm(), cut());
    script.stream = (response) => writeEvents(response, ...facts(1, 2), completed(3));
    const observation = world.client().observe(TASK);
    expect(await numbers(observation)).toEqual([1, 2, 3]);
    expect(seen).toEqual(['ws', 'ws', 'ws', 'sse']);
    expect(observation.getSnapshot().connection).toMatchObject({ state: 'done', transport: 'sse', try: 1 });
  });

  test('gives the budget back for a delivered fact', async () => {
    const { script, seen } = world.server;
    let n = 0;
    script.subscribed = ({ confirm, send, lastEventId, socket }) => {
      expect(lastEventId).toBe(n === 0 ? null : `${n}-1000`);
      n += 1;
      confirm();
      send(n < 7 ? fact(n) : completed(n));
      // Gone without a Close frame once the bytes are out.
      setImmediate(() => socket.terminate());
    };
    expect(await numbers(world.client().observe(TASK))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(seen).toEqual(Array.from({ length: 7 }, () => 'ws'));
  });

  test('goes to the next transport at every loss in a fast cycle', async () => {
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, send, socket }) => (confirm(), send(fact(1)), setImmediate(() => socket.terminate()));
    script.stream = (response, request) => {
      expect(request.headers['last-event-id']).toBe('1-1000');
      writeEvents(response, fact(2));
      setImmediate(() => response.destroy());
    };
    script.poll = (query) => ({
      taskId: TASK,
      events: [completed(3)],
      nextAfterEventId: '3-1000',
      hasMore: false,
      after: query.get('afterEventId'),
    });
    expect(await numbers(world.client({ strategy: 'fast-cycle' }).observe(TASK))).toEqual([1, 2, 3]);
    expect(seen).toEqual(['ws', 'sse', 'poll']);
  });

  test('never uses a transport with no tries', async () => {
    const { script, seen } = world.server;
    script.poll = () => ({ taskId: TASK, events: [completed(1)], nextAfterEventId: '1-1000', hasMore: false });
    await numbers(world.client({ webSocketTries: 0, eventStreamTries: 0 }).observe(TASK));
    expect(seen).toEqual(['poll']);
  });

  test('begins the whole ladder again after a failed poll', async () => {
    const { script, seen } = world.server;
    script.upgrade = () => (seen.filter((name) => name === 'ws').length < 4 ? 503 : undefined);
    script.stream = (response) => void response.writeHead(503).end();
    script.poll = () => [503, {}];
    script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    await numbers(world.client().observe(TASK));
    expect(seen).toEqual(['ws', 'ws', 'ws', 'sse', 'sse', 'sse', 'poll', 'ws']);
  });

  test('rests as long as Retry-After says, at most a minute', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    let wait = '9';
    script.stream = (response) => void response.writeHead(429, { 'retry-after': wait }).end();
    const observation = world.client({ clock, transports: ['sse'] }).observe(TASK);
    await until(observation, ({ connection }) => connection.state === 'waiting');
    expect(clock.next).toBe(9_000);
    wait = '3600';
    clock.advance(9_000);
    await eventually(() => seen.length === 2 && observation.getSnapshot().connection.state === 'waiting');
    expect(clock.next).toBe(60_000);
  });

  test('takes a socket that never confirms for a mute proxy', async () => {
    const clock = fakeClock();
    const { script } = world.server;
    let subscribed = 0;
    script.subscribed = () => void (subscribed += 1);
    script.stream = (response) => writeEvents(response, fact(1));
    const told: string[] = [];
    const options = {
      onReport: ({ type, ...report }: ClientReport) => void told.push(`${type} ${'reason' in report ? report.reason : ''}`),
      listener: { onWsSetupFailed: ({ reason }: { reason: string }) => void told.push(`setup ${reason}`) },
    };
    const observation = world.client({ clock, webSocketTries: 1, ...options }).observe(TASK);
    await eventually(() => subscribed === 1);
    expect(observation.getSnapshot().connection.state).toBe('connecting');
    clock.advance(30_000);
    expect((await until(observation, ({ connection }) => connection.state === 'live')).connection.transport).toBe('sse');
    expect(told).toEqual(['lost no word in time', 'setup no word in time']);
  });

  test('asks for 100 facts and a wait of 25 s, and gives a poll up 10 s after its wait', async () => {
    const clock = fakeClock();
    const { script, open } = world.server;
    const asked: string[] = [];
    script.poll = (query) => {
      const names = ['waitTimeoutMs', 'maxEvents'];
      asked.push(names.map((name) => `${name}=${query.get(name)}`).join('&'));
      return query.get('waitTimeoutMs') === '0' ? { taskId: TASK, events: [], nextAfterEventId: null, hasMore: false } : undefined;
    };
    const observation = world.client({ clock, transports: ['poll'] }).observe(TASK);
    await until(observation, ({ connection }) => connection.state === 'live');
    await eventually(() => clock.next === 500);
    clock.advance(500);
    await eventually(() => asked.length === 2);
    expect(asked).toEqual(['waitTimeoutMs=0&maxEvents=100', 'waitTimeoutMs=25000&maxEvents=100']);
    clock.advance(34_999);
    expect([observation.getSnapshot().connection.state, open.size]).toEqual(['live', 1]);
    clock.advance(1);
    expect(observation.getSnapshot().connection.state).toBe('waiting');
    await eventually(() => open.size === 0);
  });

  test('takes a minute of silence for a loss, and a heartbeat for life', async () => {
    const clock = fakeClock();
    const { script } = world.server;
    let beat: (() => void) | undefined;
    let heard = 0;
    script.subscribed = ({ confirm, send }) => {
      confirm();
      beat = () => send({ type: 'HEARTBEAT', taskId: TASK, live: true });
    };
    const reports: string[] = [];
    const client = world.client({
      clock,
      inspect: (event) => void (event.type === '@xstate.event' && event.event.type === 'wire.alive' && (heard += 1)),
      onReport: ({ type }) => void reports.push(type),
    });
    const observation = client.observe(TASK);
    await until(observation, ({ connection }) => connection.state === 'live');
    clock.advance(59_000);
    beat?.();
    await eventually(() => heard === 1);
    clock.advance(59_000);
    expect(observation.getSnapshot().connection.state).toBe('live');
    clock.advance(1_000);
    expect(observation.getSnapshot().connection).toMatchObject({ state: 'waiting', try: 2 });
    expect(reports).toEqual(['lost']);
  });
});

describe('climbing', () => {
  test('lets the stream deliver until the WebSocket is level, then closes it', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    script.upgrade = () => (seen.filter((name) => name === 'ws').length === 1 ? 503 : undefined);
    let streamClosed = false;
    let streamed: ((...events: object[]) => void) | undefined;
    script.stream = (response) => {
      streamed = (...events) => writeEvents(response, ...events);
      streamed(...facts(1, 3));
      response.on('close', () => (streamClosed = true));
    };
    let finish: (() => void) | undefined;
    script.subscribed = ({ lastEventId, confirm, send }) => {
      expect(lastEventId).toBe('3-1000');
      // Subscribed, but not level: the stream goes on meanwhile.
      streamed?.(fact(4));
      finish = () => (confirm(), send(fact(4), fact(5)));
    };
    const observation = world.client({ clock, webSocketTries: 1 }).observe(TASK);
    const all = numbers(observation);
    await until(observation, ({ task }) => task.lastEventId === '3-1000');
    clock.advance(30_000);
    await until(observation, ({ task, connection }) => task.lastEventId === '4-1000' && connection.climbing);
    expect(observation.getSnapshot().connection.transport).toBe('sse');
    finish?.();
    await until(observation, ({ task, connection }) => task.lastEventId === '5-1000' && connection.transport === 'ws');
    await eventually(() => streamClosed);
    world.server.script.subscribed = () => undefined;
    observation.close();
    await expect(all).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('waits twice as long after each failed probe, and tries the stream when the WebSocket fails', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    script.upgrade = 503;
    script.stream = (response) => void response.writeHead(503).end();
    script.poll = (query) =>
      query.get('waitTimeoutMs') === '0' ? { taskId: TASK, events: [fact(1)], nextAfterEventId: '1-1000', hasMore: false } : undefined;
    const observation = world.client({ clock, webSocketTries: 1, eventStreamTries: 1, limits: { pollGraceMs: 10_000_000 } }).observe(TASK);
    await until(observation, ({ connection }) => connection.transport === 'poll' && connection.state === 'live');
    const probes = (): number => seen.filter((name) => name === 'ws').length - 1;
    const idle = (): Promise<unknown> => until(observation, ({ connection }) => !connection.climbing);
    clock.advance(30_000);
    await eventually(() => seen.filter((name) => name === 'sse').length === 2);
    await idle();
    expect(probes()).toBe(1);
    // The WebSocket and the stream failed: two failures.
    clock.advance(119_000);
    expect(probes()).toBe(1);
    clock.advance(1_000);
    await eventually(() => probes() === 2);
  });
});

describe('the end of a connection without a terminal fact', () => {
  test('is the end of the observation where the task has finished at the cursor', async () => {
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, send, socket }) => (confirm(), send(...facts(1, 2)), socket.close(1000));
    script.snapshot = () => snapshotAt('2-1000', 'completed');
    expect(await numbers(world.client().observe(TASK))).toEqual([1, 2]);
    expect(seen).toEqual(['ws', 'get']);
  });

  test('is a loss where there is more to come, and where nobody can say', async () => {
    const { script, seen } = world.server;
    let times = 0;
    script.subscribed = ({ confirm, send, socket }) => {
      times += 1;
      confirm();
      if (times === 3) send(completed(2));
      else socket.close(1012);
    };
    script.snapshot = () => (times === 1 ? snapshotAt('2-1000', 'completed') : [404, { detail: 'Not Found' }]);
    expect(await numbers(world.client().observe(TASK))).toEqual([2]);
    expect(seen).toEqual(['ws', 'get', 'ws', 'get', 'ws']);
  });

  test('is settled the same way for a stream', async () => {
    const { script, seen } = world.server;
    script.stream = (response) => (writeEvents(response, fact(1)), response.end());
    script.snapshot = () => snapshotAt('1-1000', 'completed');
    await numbers(world.client({ transports: ['sse'] }).observe(TASK));
    expect(seen).toEqual(['sse', 'get']);
  });
});

describe('the gate', () => {
  test('holds every try while it is closed, and leaves a live connection alone', async () => {
    const { script, seen } = world.server;
    let isOpen = false;
    const listeners = new Set<(open: boolean) => void>();
    const set = (open: boolean): void => {
      isOpen = open;
      for (const listener of listeners) listener(open);
    };
    const gate = {
      isOpen: () => isOpen,
      subscribe: (listener: (open: boolean) => void) => (listeners.add(listener), () => void listeners.delete(listener)),
    };
    let live: (() => void) | undefined;
    script.subscribed = ({ confirm, send, cut }) => {
      confirm();
      if (!live) live = () => (send(fact(1)), setImmediate(cut));
      else send(completed(2));
    };
    const client = world.client({ gate });
    const observation = client.observe(TASK);
    const all = numbers(observation);
    await until(observation, ({ connection }) => connection.state === 'offline');
    expect(seen).toEqual([]);
    set(true);
    await until(observation, ({ connection }) => connection.state === 'live');
    set(false);
    live?.();
    await until(observation, ({ connection }) => connection.state === 'offline');
    expect(observation.getSnapshot().task.lastEventId).toBe('1-1000');
    set(true);
    expect(await all).toEqual([1, 2]);
    expect(listeners.size).toBe(0);
  });
});
