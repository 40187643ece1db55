import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { failingTransports, scriptedTransports, transportSwitch, type ScriptedTransports } from 'taskbridge/client/testing';
import type { FactPayload } from 'taskbridge/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { createHarness } from './harness.ts';
import { completed, facts, snapshotAt, TASK, writeEvents } from '../support/scripted-server.ts';
import { until } from '../support/until.ts';

const open = new Set<TaskBridgeClient>();
afterEach(async () => {
  await Promise.all([...open].map((client) => client.close()));
  open.clear();
});

function clientOf(server: ScriptedTransports, options: Partial<TaskBridgeClientOptions> = {}): TaskBridgeClient {
  const { baseUrl, intercept } = server;
  const limits = { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1, ...options.limits };
  const client = createTaskBridgeClient({ baseUrl, intercept, ...options, limits });
  open.add(client);
  return client;
}

const question: FactPayload<'TASK_SUSPENDED'> = {
  suspendId: 's',
  kind: 'USER_ACTION_REQUIRED',
  reasonCode: 'PICK',
  allowedActions: ['left', 'right'],
  schemaVersion: 1,
};

describe.each(['ws', 'sse', 'poll'] as const)('a scripted server, watched over %s', (transport) => {
  test('plays a life of a task as the test reports it: progress, a question, its answer, the result', async () => {
    const server = scriptedTransports();
    const client = clientOf(server, { transports: [transport] });
    const { taskId } = await client.start({ taskType: 'report', input: { month: 1 } });
    const task = server.task(taskId);
    expect(task).toMatchObject({ taskType: 'report', input: { month: 1 } });
    const observation = client.observe(taskId);
    const types: string[] = [];
    task.report({ type: 'report.started', payload: {} });
    for await (const { type } of observation) {
      types.push(type);
      if (type === 'TASK_STARTED') task.report({ type: 'report.progress', payload: { progress: 40 } });
      if (type === 'TASK_PROGRESS') task.report({ type: 'report.suspended', payload: question });
      if (type === 'TASK_SUSPENDED') {
        await expect(client.act(taskId, { suspendId: 's', actionType: 'up' })).rejects.toMatchObject({ code: 'ACTION_NOT_ALLOWED' });
        expect(await client.act(taskId, { suspendId: 's', actionType: 'left', payload: { n: 1 } })).toMatchObject({ status: 'ACCEPTED' });
        task.report({ type: 'report.completed', payload: { result: 'all' } });
      }
    }
    expect(types).toEqual(['TASK_STARTED', 'TASK_PROGRESS', 'TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
    expect(task.answers).toMatchObject([{ suspendId: 's', actionType: 'left', payload: { n: 1 } }]);
    const { task: shown, connection } = observation.getSnapshot();
    expect([shown.state, connection.transport]).toEqual(['completed', transport]);
    expect(await client.get(taskId)).toMatchObject({ state: 'completed', result: 'all' });
    expect(() => task.report({ type: 'report.progress', payload: { progress: 50 } })).toThrow(
      'takes no report.progress: The task has ended.',
    );
  });

  test('is cut, and each fact still comes once', async () => {
    const server = scriptedTransports();
    const client = clientOf(server, { transports: [transport] });
    const task = server.start({ taskType: 'report' });
    const report = (progress: number): void => task.report({ type: 'report.progress', payload: { progress } });
    report(1);
    const seen: string[] = [];
    for await (const { eventId } of client.observe(task.taskId)) {
      seen.push(eventId);
      if (seen.length >= 4) break;
      server.cut();
      report(seen.length);
    }
    expect(seen).toEqual(task.log.map(({ eventId }) => eventId));
  });

  test('refuses whom the script refuses, and lets them in later', async () => {
    let refusals = 0;
    const server = scriptedTransports({
      refuse: ({ kind }) => (kind === transport && ++refusals < 3 ? { status: 503, code: 'STORE_UNAVAILABLE' } : undefined),
    });
    const client = clientOf(server, { transports: [transport] });
    const task = server.start({ taskType: 'report' });
    task.report({ type: 'report.completed', payload: { result: 1 } });
    const seen: string[] = [];
    for await (const { type } of client.observe(task.taskId)) seen.push(type);
    expect([seen, refusals]).toEqual([['TASK_COMPLETED'], 3]);
  });
});

describe('a scripted server', () => {
  test('knows no task that was not started, and starts the same request once', async () => {
    const server = scriptedTransports();
    const client = clientOf(server);
    await expect(client.get('task-9')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(() => server.task('task-9')).toThrow('never started');
    await expect(client.observe('task-9')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    const first = await client.start({ taskType: 'report', clientRequestId: 'r' });
    expect(await client.start({ taskType: 'report', clientRequestId: 'r' })).toEqual({ ...first, deduplicated: true });
    expect(server.tasks).toHaveLength(1);
  });

  test('takes starts with files, cancels and what an outbox sends', async () => {
    const server = scriptedTransports();
    const client = clientOf(server);
    const attachments = [{ fileName: 'a', content: new Uint8Array([1]) }];
    const { taskId } = await client.start({ taskType: 'report', input: { n: 1 }, attachments });
    expect(server.task(taskId)).toMatchObject({ taskType: 'report', input: { n: 1 } });
    expect(await client.cancel(taskId, 'enough')).toMatchObject({ status: 'CANCELLATION_REQUESTED' });
    expect(server.task(taskId).log.at(-1)).toMatchObject({ type: 'TASK_CANCELLED', payload: { reason: 'enough' } });
    const outbox = createOutbox(client, { store: memoryOutbox('ada') });
    const ticket = await outbox.start({ taskType: 'later' });
    expect(await ticket.settled()).toMatchObject({ state: 'done' });
    await outbox.close();
    expect(server.tasks.map(({ taskType }) => taskType)).toEqual(['report', 'later']);
  });
});

describe('transports that fail', () => {
  const page = { taskId: TASK, events: [...facts(1, 2), completed(3)], nextAfterEventId: '3-1000', hasMore: false };

  test('are those that are named, for ever', async () => {
    const world = await createHarness();
    world.server.script.poll = () => page;
    world.server.script.snapshot = () => snapshotAt(null);
    const observation = world.client({ intercept: failingTransports('ws', 'sse') }).observe(TASK);
    for await (const _ of observation);
    expect(observation.getSnapshot().connection.transport).toBe('poll');
    expect(world.server.seen.filter((one) => one !== 'get')).toEqual(['poll']);
    await world.close();
  });

  test.each([
    ['ws', 'sse'],
    ['sse', 'ws'],
    ['sse', 'poll'],
    ['poll', 'ws'],
  ] as const)('are forced at run time, also while they are open: from %s to %s', async (first, second) => {
    const world = await createHarness();
    const { script } = world.server;
    script.snapshot = () => snapshotAt(null);
    script.subscribed = ({ confirm }) => confirm();
    script.stream = (response) => writeEvents(response);
    script.poll = (query) => (query.get('waitTimeoutMs') === '0' ? { ...page, events: [], nextAfterEventId: null } : undefined);
    const debug = transportSwitch();
    debug.force(first);
    const observation = world.client({ intercept: debug.intercept }).observe(TASK);
    const isLiveOn = (name: string) => until(observation, ({ connection }) => connection.state === 'live' && connection.transport === name);
    await isLiveOn(first);
    debug.force(second);
    expect([...debug.failing].sort()).toEqual(['poll', 'sse', 'ws'].filter((name) => name !== second));
    await isLiveOn(second);
    debug.force(undefined);
    expect([...debug.failing]).toEqual([]);
    await world.close();
  });
});
