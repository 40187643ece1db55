import { once } from 'node:events';
import { extensionsGrantedFrame, subscriptionConfirmedFrame, subscriptionEndedFrame } from '../../machines/wire/index.ts';
import { describe, expect, it, vi } from 'vitest';
import { TaskBridgeError } from 'taskbridge/server';
import { fakeClock } from '../support/fake-clock.ts';
import { dial, liveHost, watchByWebSocket } from '../live/host.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { taskLog } from '../live/task-log.ts';
import { CONFIRMED, ended, openRawClient } from './raw-client.ts';

const UNKNOWN = 'f'.repeat(32);

describe('the grant', () => {
  it('is told by every confirmation, in the shape of the schema', async () => {
    const host = await liveHost();
    const tasks = [await taskLog(host.store), await taskLog(host.store)];
    const client = await openRawClient(host);
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(2));
    for (const frame of client.frames) expect(subscriptionConfirmedFrame.parse(frame).extensions).toEqual(['gap', 'multiplex']);
  });

  it('is told at once, before anything was asked, and once', async () => {
    const host = await liveHost();
    const client = await openRawClient(host);
    await vi.waitFor(() => expect(client.granted).toHaveLength(1));
    expect(extensionsGrantedFrame.parse(client.granted[0]).extensions).toEqual(['gap', 'multiplex']);
    client.subscribe(UNKNOWN);
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    expect(subscriptionEndedFrame.parse(client.frames[0])).toMatchObject({ taskId: UNKNOWN, code: 1008 });
    expect(client.granted).toHaveLength(1);
  });

  it.each(['', '?extensions=gap', '?extensions=multiplexed'])(
    'is not given to whoever asks "%s": one task, closed after it',
    async (query) => {
      const host = await liveHost();
      const tasks = [await taskLog(host.store), await taskLog(host.store)];
      const viewer = watchByWebSocket(host, tasks[0]?.taskId ?? '', undefined, query);
      await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
      viewer.ws.send(JSON.stringify({ action: 'subscribe', taskId: tasks[1]?.taskId }));
      viewer.ws.send(JSON.stringify({ action: 'unsubscribe', taskId: tasks[0]?.taskId }));
      await tasks[0]?.append(2);
      await tasks[0]?.end();
      expect(await viewer.closed).toBe(1000);
      expect(viewer.ids).toEqual(tasks[0]?.ids);
      expect(viewer.control).toHaveLength(1);
      expect(viewer.control[0]?.['extensions']).toEqual(query === '' ? undefined : query.endsWith('gap') ? ['gap'] : []);
    },
  );
});

describe('a subscription', () => {
  it('brings each task whole, among the others, and ends with 1000; the socket stays', async () => {
    const host = await liveHost();
    const tasks = await Promise.all(Array.from({ length: 20 }, () => taskLog(host.store)));
    const client = await openRawClient(host);
    for (const task of tasks) await task.append(3);
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(client.frames.length).toBe(80));
    for (const task of tasks) {
      await task.append(2);
      await task.end();
    }
    await vi.waitFor(() => expect(client.frames.filter(({ type }) => type === 'SUBSCRIPTION_ENDED')).toHaveLength(20));
    for (const { taskId, ids } of tasks) expect(client.of(taskId)).toEqual([CONFIRMED, ...ids, ended(1000)]);
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    expect([host.hub.viewers, host.hub.topics, host.door.sockets]).toEqual([0, 0, 1]);
  });

  it('ends at once where the cursor is at the terminal fact', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(1);
    await task.end();
    const client = await openRawClient(host);
    client.subscribe(task.taskId, task.ids[1]);
    await vi.waitFor(() => expect(client.of(task.taskId)).toEqual([CONFIRMED, ended(1000)]));
  });

  it('is told of a gap of its own log', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(9, { keepLast: 2 });
    const client = await openRawClient(host);
    client.subscribe(task.taskId, task.ids[0]);
    await vi.waitFor(() => expect(client.of(task.taskId)).toEqual([CONFIRMED, 'GAP', ...task.ids.slice(7)]));
  });

  it('is refused with 1008 for an unknown and a foreign task alike, and touches no other', async () => {
    const host = await liveHost({
      door: {
        service: {
          forget: () => undefined,
          authorize: async (_auth, taskId) => {
            if (taskId !== known.taskId) throw new TaskBridgeError('TASK_NOT_FOUND', 'There is no such task.');
            return { taskId, taskType: 't', clientRequestId: 'c', owner: 'ann', contentHash: '', requestKey: '', createdAt: 0 };
          },
        },
      },
    });
    const [known, foreign] = [await taskLog(host.store), await taskLog(host.store)];
    const client = await openRawClient(host);
    for (const taskId of [known.taskId, foreign.taskId, UNKNOWN]) client.subscribe(taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(3));
    const refusals = client.frames.filter(({ type }) => type === 'SUBSCRIPTION_ENDED').map(({ taskId: _, ...rest }) => rest);
    expect(refusals).toHaveLength(2);
    expect(refusals[0]).toEqual(refusals[1]);
    await known.append(1);
    await vi.waitFor(() => expect(client.of(known.taskId)).toEqual([CONFIRMED, ...known.ids]));
  });

  it.each([
    ['a cursor of a store', 'lastEventId', { lastEventId: '$' }],
    ['a cursor that is a number', 'lastEventId', { lastEventId: 1 }],
    ['an unknown field', 'more', { more: 1 }],
  ])('is refused with 1008 for %s, which is named and no fault of the others', async (_name, field, more) => {
    const host = await liveHost();
    const [task, other] = [await taskLog(host.store), await taskLog(host.store)];
    const client = await openRawClient(host);
    client.subscribe(other.taskId);
    client.ws.send(JSON.stringify({ action: 'subscribe', taskId: task.taskId, ...more }));
    await other.append(1);
    await vi.waitFor(() => expect(client.of(other.taskId)).toEqual([CONFIRMED, ...other.ids]));
    expect(client.of(task.taskId)).toEqual([ended(1008)]);
    expect(client.frames.find(({ taskId }) => taskId === task.taskId)).toMatchObject({ reason: expect.stringContaining(field) as string });
  });

  it('ends with 1006 where the fault is ours: before it began, and when the store fails too often', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock, live: { storeTriesMax: 1 } });
    const [task, other] = [await taskLog(host.store), await taskLog(host.store)];
    const client = await openRawClient(host);
    client.subscribe(other.taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    await quiesce();
    for (const fault of [new Error('broken'), new TaskBridgeError('STORE_UNAVAILABLE', 'down')]) {
      host.fault = fault;
      client.subscribe(task.taskId);
      await vi.waitFor(() => expect(client.of(task.taskId)).toEqual([ended(1006)]));
      host.fault = undefined;
      (client.frames as unknown[]).length = 0;
    }
    host.store.readFault = new Error('broken');
    client.subscribe(task.taskId);
    await vi.waitFor(() => expect(client.of(task.taskId)).toEqual([CONFIRMED, ended(1006)]));
    host.store.readFault = undefined;
    await other.append(2);
    await vi.waitFor(() => expect(client.of(other.taskId)).toEqual(other.ids));
  });
});

describe('unsubscribing', () => {
  it('ends a subscription with 1000, after which nothing of it comes; subscribing from its cursor goes on', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(2);
    const client = await openRawClient(host);
    client.subscribe(task.taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(3));
    client.unsubscribe(task.taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(4));
    expect([host.hub.viewers, host.hub.topics]).toEqual([0, 0]);
    await task.append(2);
    await quiesce();
    client.subscribe(task.taskId, task.ids[1]);
    await vi.waitFor(() =>
      expect(client.of(task.taskId)).toEqual([CONFIRMED, ...task.ids.slice(0, 2), ended(1000), CONFIRMED, ...task.ids.slice(2)]),
    );
  });

  it('of a task that is not subscribed does nothing and is not answered', async () => {
    const host = await liveHost();
    const [task, other] = [await taskLog(host.store), await taskLog(host.store)];
    const client = await openRawClient(host);
    client.subscribe(task.taskId);
    for (const taskId of [other.taskId, UNKNOWN, '']) client.unsubscribe(taskId);
    client.subscribe(other.taskId);
    await vi.waitFor(() => expect(client.frames.map(({ type }) => type)).toEqual([CONFIRMED, CONFIRMED]));
  });

  it('ends also what is not yet confirmed, and frees its place when that is known', async () => {
    const answers: (() => void)[] = [];
    const host = await liveHost({
      live: { tasksPerSocketMax: 2 },
      door: {
        service: {
          forget: () => undefined,
          authorize: (_auth, taskId) =>
            new Promise((resolve) =>
              answers.push(() =>
                resolve({ taskId, taskType: 't', clientRequestId: 'c', owner: 'ann', contentHash: '', requestKey: '', createdAt: 0 }),
              ),
            ),
        },
      },
    });
    const task = await taskLog(host.store);
    await task.append(1);
    const client = await openRawClient(host);
    client.subscribe(task.taskId);
    client.unsubscribe(task.taskId);
    client.subscribe(task.taskId);
    // What is still being found out counts: a client cannot have the server ask without end.
    client.subscribe(task.taskId);
    await vi.waitFor(() => expect(client.of(task.taskId)).toEqual([ended(1000), ended(1000), ended(1013)]));
    answers.forEach((answer) => answer());
    await quiesce();
    client.subscribe(task.taskId);
    await vi.waitFor(() => expect(answers).toHaveLength(3));
    answers[2]?.();
    await vi.waitFor(() => expect(client.of(task.taskId).slice(3)).toEqual([CONFIRMED, ...task.ids]));
  });

  it('happens by itself where a task is subscribed again: one end for each subscribe, in order', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(2);
    const client = await openRawClient(host);
    client.subscribe(task.taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(3));
    client.subscribe(task.taskId, task.ids[0]);
    await vi.waitFor(() => expect(client.of(task.taskId).slice(3)).toEqual([ended(1000), CONFIRMED, task.ids[1]]));
    await task.end();
    await vi.waitFor(() => expect(client.of(task.taskId).slice(6)).toEqual([task.ids[2], ended(1000)]));
    expect(host.hub.viewers).toBe(0);
  });
});

describe('room', () => {
  it.each([
    [4, 0],
    [5, 0],
    [6, 1],
  ])('is for 5 tasks on a socket: of %i, %i are refused with 1013', async (count, refused) => {
    const host = await liveHost({ live: { tasksPerSocketMax: 5 } });
    const tasks = await Promise.all(Array.from({ length: count }, () => taskLog(host.store)));
    const client = await openRawClient(host);
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(count));
    expect(client.frames.filter(({ code }) => code === 1013)).toHaveLength(refused);
    expect(host.hub.viewers).toBe(Math.min(5, count));
    if (refused === 0) return;
    await tasks[0]?.end();
    await vi.waitFor(() => expect(client.of(tasks[0]?.taskId ?? '')).toContain(ended(1000)));
    client.subscribe(tasks[5]?.taskId ?? '');
    await vi.waitFor(() => expect(client.of(tasks[5]?.taskId ?? '')).toEqual([ended(1013), CONFIRMED]));
  });

  it('is for so many viewers in the process: 1013, and 429 for the next socket', async () => {
    const host = await liveHost({ live: { viewersMax: 2 } });
    const tasks = await Promise.all(Array.from({ length: 3 }, () => taskLog(host.store)));
    const client = await openRawClient(host);
    for (const { taskId } of tasks) client.subscribe(taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(3));
    expect(client.of(tasks[2]?.taskId ?? '')).toEqual([ended(1013)]);
    const ws = dial(host, '?extensions=multiplex');
    ws.on('error', () => undefined);
    const [, response] = (await once(ws, 'unexpected-response')) as [unknown, { statusCode: number; headers: Record<string, string> }];
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '5']);
  });
});

describe('the socket as a whole', () => {
  it.each([
    ['no JSON', 'subscribe', 1008],
    ['no object', 'null', 1008],
    ['another action', JSON.stringify({ action: 'pause', taskId: UNKNOWN }), 1008],
    ['no task', JSON.stringify({ action: 'subscribe' }), 1008],
    ['an unknown field of unsubscribe', JSON.stringify({ action: 'unsubscribe', taskId: UNKNOWN, more: 1 }), 1008],
    ['a binary frame', Buffer.from('{}'), 1003],
    ['a frame that is too large', 'x'.repeat(70_000), 1009],
  ])('is closed for %s', async (_name, frame, code) => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    const client = await openRawClient(host);
    client.subscribe(task.taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    client.ws.send(frame);
    expect(await client.closed).toBe(code);
    await vi.waitFor(() => expect([host.hub.viewers, host.door.sockets]).toEqual([0, 0]));
  });

  it('is closed with 1000 when it never subscribes, and when it has had no subscription for as long', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock });
    const { subscribeMs } = host.hub.options;
    const [mute, idle] = [await openRawClient(host), await openRawClient(host)];
    const task = await taskLog(host.store);
    clock.advance(subscribeMs - 1);
    idle.subscribe(task.taskId);
    await vi.waitFor(() => expect(idle.frames).toHaveLength(1));
    clock.advance(1);
    expect(await mute.closed).toBe(1000);
    await task.end();
    await vi.waitFor(() => expect(idle.of(task.taskId).at(-1)).toBe(ended(1000)));
    clock.advance(subscribeMs - 1);
    await quiesce();
    expect(idle.ws.readyState).toBe(idle.ws.OPEN);
    // What ends nothing is no reason to stay.
    idle.unsubscribe(task.taskId);
    await quiesce();
    clock.advance(1);
    expect(await idle.closed).toBe(1000);
  });

  it('is cut with all its tasks when the credentials end', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock, auth: { subject: 'ann', expiresAt: clock.now() + 5_000 } });
    const client = await openRawClient(host);
    for (let i = 0; i < 3; i += 1) client.subscribe((await taskLog(host.store)).taskId);
    await vi.waitFor(() => expect(host.hub.viewers).toBe(3));
    clock.advance(5_000);
    expect(await client.closed).toBe(1006);
    expect(host.hub.viewers).toBe(0);
  });

  it('is cut when the credentials end, though it watches nothing then', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock, auth: { subject: 'ann', expiresAt: clock.now() + 5_000 } });
    const before = await openRawClient(host);
    const after = await openRawClient(host);
    const { taskId } = await taskLog(host.store);
    after.subscribe(taskId);
    await vi.waitFor(() => expect(host.hub.viewers).toBe(1));
    after.unsubscribe(taskId);
    await vi.waitFor(() => expect(host.hub.viewers).toBe(0));
    clock.advance(4_999);
    await quiesce();
    expect([before.ws.readyState, after.ws.readyState]).toEqual([before.ws.OPEN, after.ws.OPEN]);
    clock.advance(1);
    expect([await before.closed, await after.closed]).toEqual([1006, 1006]);
  });

  it('is cut at shutdown: all its tasks at one moment, other sockets at theirs', async () => {
    const clock = fakeClock();
    const fractions = [0.9, 0.2];
    const host = await liveHost({ clock, chance: { hex: () => '', fraction: () => fractions.shift() ?? 0 } });
    const talks = [await openRawClient(host), await openRawClient(host)];
    for (const client of talks) {
      for (let i = 0; i < 5; i += 1) client.subscribe((await taskLog(host.store)).taskId);
      await vi.waitFor(() => expect(client.frames).toHaveLength(5));
    }
    host.door.close();
    const closing = host.hub.close({ spreadMs: 1_000 });
    clock.advance(200);
    expect(await talks[1]?.closed).toBe(1006);
    await quiesce();
    expect(host.hub.viewers).toBe(5);
    clock.advance(700);
    expect(await talks[0]?.closed).toBe(1006);
    await closing;
  });

  it('that is idle after its subscriptions is cut at shutdown too', async () => {
    const host = await liveHost();
    const client = await openRawClient(host);
    client.subscribe(UNKNOWN);
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    host.door.close();
    await host.hub.close();
    expect(await client.closed).toBe(1006);
  });

  it('frees all its tasks when the client goes', async () => {
    const host = await liveHost();
    const client = await openRawClient(host);
    for (let i = 0; i < 10; i += 1) client.subscribe((await taskLog(host.store)).taskId);
    await vi.waitFor(() => expect(host.hub.viewers).toBe(10));
    client.ws.terminate();
    await vi.waitFor(() => expect([host.hub.viewers, host.hub.topics, host.door.sockets]).toEqual([0, 0, 0]));
    await vi.waitFor(() => expect(host.sockets.size).toBe(0));
  });

  it('has a heartbeat for each quiet task, also while another one is busy', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock });
    const [quiet, busy] = [await taskLog(host.store), await taskLog(host.store)];
    const client = await openRawClient(host);
    client.subscribe(quiet.taskId);
    client.subscribe(busy.taskId);
    await vi.waitFor(() => expect(client.frames).toHaveLength(2));
    for (let second = 0; second < 25; second += 1) {
      clock.advance(1_000);
      await busy.append(1);
      await quiesce();
    }
    await vi.waitFor(() => expect(client.of(quiet.taskId)).toEqual([CONFIRMED, 'HEARTBEAT']));
    expect(client.of(busy.taskId)).toEqual([CONFIRMED, ...busy.ids]);
  });
});
