import { createTaskBridgeClient, type Observation, type TaskBridgeClient } from 'taskbridge/client';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { scriptedTransports, type ScriptedTask, type ScriptedTransportsOptions } from 'taskbridge/client/testing';
import { fromOutbox, fromTask, taskActor, type TaskLogicSnapshot } from 'taskbridge/xstate';
import type { FactPayload } from 'taskbridge/wire';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { assign, createActor, fromObservable, sendTo, setup, toPromise, waitFor, type AnyActor } from 'xstate';

const question: FactPayload<'TASK_SUSPENDED'> = {
  suspendId: 's',
  kind: 'USER_ACTION_REQUIRED',
  reasonCode: 'SURE',
  allowedActions: ['yes'],
  schemaVersion: 1,
};

/** A client of a server in memory, and the observations that it has opened. */
function scripted(options: ScriptedTransportsOptions = {}) {
  const server = scriptedTransports(options);
  const { baseUrl, intercept } = server;
  const client = createTaskBridgeClient({ baseUrl, intercept, limits: { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1 } });
  onTestFinished(() => client.close());
  const observations: Observation[] = [];
  const observe: TaskBridgeClient['observe'] = (...args) => {
    const observation = client.observe(...args);
    observations.push(observation);
    return observation;
  };
  return {
    server,
    client: { ...client, observe },
    observations,
    connections: () => observations.map((one) => one.getSnapshot().connection.state),
  };
}

function ask(task: ScriptedTask): void {
  task.report({ type: 'report.started', payload: {} });
  task.report({ type: 'report.suspended', payload: question });
}

const isOrder = (value: unknown): { readonly orderId: number } => {
  if (typeof (value as { orderId?: unknown } | null)?.orderId !== 'number') throw new TypeError('No order.');
  return value as { readonly orderId: number };
};

/** A shop that runs a task to pay. */
function checkout(client: Parameters<typeof fromTask>[0]) {
  const pay = fromTask(client, { result: isOrder });
  return setup({
    types: {} as {
      context: { orderId: number | null; why: unknown; percent: number; states: string[] };
      events: { type: 'pay' } | { type: 'leave' } | { type: 'confirm' } | { type: 'give up' };
    },
    actors: { pay },
  }).createMachine({
    initial: 'cart',
    context: { orderId: null, why: null, percent: 0, states: [] },
    states: {
      cart: { on: { pay: 'paying' } },
      paying: {
        invoke: {
          src: 'pay',
          id: 'pay',
          input: { start: { taskType: 'order.pay', input: { amount: 3 } } },
          onSnapshot: {
            actions: assign(({ context, event }) => ({
              percent: event.snapshot.context.task.progress?.progress ?? 0,
              states: [...new Set([...context.states, event.snapshot.value])],
            })),
          },
          // Typed: `output` is what `result` gave.
          onDone: { target: 'paid', actions: assign({ orderId: ({ event }) => event.output.orderId }) },
          onError: { target: 'cart', actions: assign({ why: ({ event }) => event.error }) },
        },
        on: {
          leave: 'cart',
          confirm: { actions: sendTo('pay', { type: 'task.act', suspendId: 's', actionType: 'yes', payload: { by: 'card' } }) },
          'give up': { actions: sendTo('pay', { type: 'task.cancel', reason: 'Too dear.' }) },
        },
      },
      paid: { type: 'final' },
    },
    output: ({ context }) => context.orderId,
  });
}

/** The machine in its state `paying`, whose task asks. */
async function paying(options?: ScriptedTransportsOptions) {
  const world = scripted(options);
  const actor = createActor(checkout(world.client)).start();
  onTestFinished(() => void actor.stop());
  actor.send({ type: 'pay' });
  await vi.waitFor(() => expect(world.server.tasks).toHaveLength(1));
  const [task] = world.server.tasks;
  if (!task) throw new Error('Nothing was started.');
  ask(task);
  const child = () => actor.getSnapshot().children.pay;
  await vi.waitFor(() => expect(child()?.getSnapshot().hasTag('waiting')).toBe(true));
  return { ...world, actor, task, child };
}

describe('a task that a machine invokes', () => {
  test('is started, shows what happens, takes an answer, and gives its result', async () => {
    const { actor, task, child, connections } = await paying();
    expect(child()?.getSnapshot()).toMatchObject({
      value: 'suspended',
      context: { taskId: task.taskId, known: 'known', task: { openSuspensions: [question] } },
    });
    expect(child()?.getSnapshot().matches('suspended')).toBe(true);
    task.report({ type: 'report.progress', payload: { progress: 40 } });
    await waitFor(actor, ({ context }) => context.percent === 40);
    actor.send({ type: 'confirm' });
    await vi.waitFor(() => expect(task.answers).toMatchObject([{ suspendId: 's', payload: { by: 'card' } }]));
    task.report({ type: 'report.completed', payload: { result: { orderId: 7 } } });
    expect(await toPromise(actor)).toBe(7);
    expect(actor.getSnapshot().context.states).toEqual(expect.arrayContaining(['starting', 'suspended', 'running']));
    expect(connections()).toEqual(['done']);
  });

  test.each([
    [
      'fails',
      (task: ScriptedTask) => task.report({ type: 'report.failed', payload: { code: 'NO_MONEY', message: 'No money.', retryable: false } }),
      { code: 'TASK_FAILED', message: 'No money.', details: { code: 'NO_MONEY' } },
    ],
    [
      'is cancelled',
      (_task: ScriptedTask, actor: AnyActor) => actor.send({ type: 'give up' }),
      { code: 'TASK_CANCELLED', message: 'Too dear.', details: { reason: 'Too dear.' } },
    ],
    [
      'ends with what cannot be read',
      (task: ScriptedTask) => task.report({ type: 'report.completed', payload: { result: 'text' } }),
      { message: 'No order.' },
    ],
  ])('that %s is its machine’s error', async (_, happen, error) => {
    const { actor, task } = await paying();
    happen(task, actor);
    await waitFor(actor, (now) => now.matches('cart'));
    expect(actor.getSnapshot().context.why).toBeInstanceOf(Error);
    expect(actor.getSnapshot().context.why).toMatchObject(error);
  });

  test('that is refused at its start is its machine’s error', async () => {
    const { client } = scripted({ refuse: ({ kind }) => (kind === 'start' ? { status: 403, code: 'TASK_OWNERSHIP_ERROR' } : undefined) });
    const actor = createActor(checkout(client)).start();
    actor.send({ type: 'pay' });
    await waitFor(actor, ({ context }) => context.why !== null);
    expect(actor.getSnapshot()).toMatchObject({ value: 'cart', context: { why: { code: 'TASK_OWNERSHIP_ERROR', status: 403 } } });
  });

  test('is left with its connection closed, and goes on without it', async () => {
    const { actor, task, child, connections } = await paying();
    expect(connections()).toEqual(['live']);
    actor.send({ type: 'leave' });
    expect(child()).toBeUndefined();
    expect(connections()).toEqual(['closed']);
    task.report({ type: 'report.progress', payload: { progress: 50 } });
    expect(actor.getSnapshot().context.percent).toBe(0);
  });

  test('is kept as JSON with its machine, and goes on from there without another start', async () => {
    const { actor, task, client, server, connections } = await paying();
    task.report({ type: 'report.progress', payload: { progress: 40 } });
    await waitFor(actor, ({ context }) => context.percent === 40);
    const text = JSON.stringify(actor.getPersistedSnapshot());
    actor.stop();
    expect(connections()).toEqual(['closed']);
    const again = createActor(checkout(client), { snapshot: JSON.parse(text) as never }).start();
    const seen: string[] = [];
    const child = again.getSnapshot().children.pay;
    expect(child?.getSnapshot()).toMatchObject({
      value: 'suspended',
      context: { taskId: task.taskId, task: { progress: { progress: 40 } } },
    });
    expect(child?.getSnapshot().hasTag('waiting')).toBe(true);
    child?.subscribe(({ value }) => void (seen.at(-1) !== value && seen.push(value)));
    again.send({ type: 'confirm' });
    await vi.waitFor(() => expect(task.answers).toHaveLength(1));
    task.report({ type: 'report.completed', payload: { result: { orderId: 8 } } });
    expect(await toPromise(again)).toBe(8);
    // It never showed less than it knew.
    expect(seen.filter((value) => value === 'accepted' || value === 'starting' || value === 'joined')).toEqual([]);
    expect(server.tasks).toHaveLength(1);
  });

  test('whose start was not answered yet is started once, however often it begins', async () => {
    const world = scripted();
    let isOpen = false;
    const start: TaskBridgeClient['start'] = async (...args) => {
      const answer = await world.client.start(...args);
      if (!isOpen) await new Promise(() => undefined);
      return answer;
    };
    const client = { ...world.client, start };
    const actor = createActor(checkout(client)).start();
    actor.send({ type: 'pay' });
    await vi.waitFor(() => expect(world.server.tasks).toHaveLength(1));
    const text = JSON.stringify(actor.getPersistedSnapshot());
    actor.stop();
    isOpen = true;
    const again = createActor(checkout(client), { snapshot: JSON.parse(text) as never }).start();
    await vi.waitFor(() => expect(again.getSnapshot().children.pay?.getSnapshot().context.taskId).toBe('task-1'));
    expect(world.server.tasks).toHaveLength(1);
    again.stop();
  });
});

describe('a task as an actor', () => {
  test('that is not there is an error, also when it is restored', async () => {
    const { client } = scripted();
    const logic = fromTask(client);
    const error = vi.fn();
    const actor = createActor(logic, { input: { taskId: 'nobody' } });
    actor.subscribe({ error });
    actor.start();
    await vi.waitFor(() => expect(error).toHaveBeenCalledWith(expect.objectContaining({ code: 'TASK_NOT_FOUND' })));
    const stored = JSON.parse(JSON.stringify(actor.getSnapshot())) as ReturnType<typeof actor.getPersistedSnapshot>;
    const restored = createActor(logic, { input: { taskId: 'nobody' }, snapshot: stored });
    expect(restored.getSnapshot()).toMatchObject({ status: 'error', error: { name: 'TaskBridgeClientError', code: 'TASK_NOT_FOUND' } });
  });

  test('says what came to nothing, and forgets it with the next command', async () => {
    const { client, server } = scripted();
    const task = server.start({ taskType: 'any' });
    ask(task);
    const actor = taskActor(client, task.taskId);
    onTestFinished(() => void actor.stop());
    const refused = vi.fn();
    actor.on('refused', refused);
    await waitFor(actor, (now) => now.hasTag('waiting'));
    actor.send({ type: 'task.act', suspendId: 's', actionType: 'no' });
    const told = {
      type: 'refused',
      code: 'ACTION_NOT_ALLOWED',
      message: expect.stringContaining('ACTION_NOT_ALLOWED') as string,
      command: { type: 'task.act', suspendId: 's' },
    };
    await waitFor(actor, ({ context }) => context.refused !== null);
    expect(actor.getSnapshot().context.refused).toEqual(told);
    expect(refused).toHaveBeenCalledExactlyOnceWith(told);
    actor.send({ type: 'task.act', suspendId: 's', actionType: 'yes' });
    expect(actor.getSnapshot().context.refused).toBeNull();
    await vi.waitFor(() => expect(task.answers).toHaveLength(1));
    task.report({ type: 'report.completed', payload: { result: 1 } });
    expect(await toPromise(actor)).toBe(1);
  });

  test('ends with an error where its client is closed', async () => {
    const { client, server } = scripted();
    const actor = taskActor(client, server.start({ taskType: 'any' }).taskId);
    const error = vi.fn();
    actor.subscribe({ error });
    await waitFor(actor, ({ context }) => context.connection.state === 'live');
    await client.close();
    await vi.waitFor(() => expect(error).toHaveBeenCalledWith(expect.objectContaining({ code: 'CLOSED' })));
  });

  test('is plain JSON as it stands', async () => {
    const { client, server } = scripted();
    const task = server.start({ taskType: 'any' });
    ask(task);
    const actor = taskActor(client, task.taskId);
    onTestFinished(() => void actor.stop());
    const snapshot = await waitFor(actor, (now: TaskLogicSnapshot<unknown>) => now.hasTag('waiting'));
    expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({
      value: 'suspended',
      tags: ['open', 'waiting'],
      context: { task: { state: 'suspended' } },
    });
    expect(JSON.stringify(snapshot)).toBe(JSON.stringify(actor.getPersistedSnapshot()));
  });
});

describe('an observation as an observable', () => {
  test('is taken by fromObservable, and completes with its log', async () => {
    const { client, server } = scripted();
    const task = server.start({ taskType: 'any' });
    const actor = createActor(fromObservable(() => client.observe(task.taskId))).start();
    task.report({ type: 'report.progress', payload: { progress: 10 } });
    await waitFor(actor, ({ context }) => context?.task.progress?.progress === 10);
    task.report({ type: 'report.completed', payload: { result: 1 } });
    await waitFor(actor, ({ status }) => status === 'done');
    expect(actor.getSnapshot().context?.task).toMatchObject({ state: 'completed', result: 1 });
  });

  test('tells an observer of its failure, and completes where it is closed', async () => {
    const { client, server } = scripted();
    const error = vi.fn();
    const failing = createActor(fromObservable(() => client.observe('nobody')));
    failing.subscribe({ error });
    failing.start();
    await vi.waitFor(() => expect(error).toHaveBeenCalledWith(expect.objectContaining({ code: 'TASK_NOT_FOUND' })));
    const complete = vi.fn();
    const observation = client.observe(server.start({ taskType: 'any' }).taskId);
    observation.subscribe({ complete, error });
    observation.close();
    await vi.waitFor(() => expect(complete).toHaveBeenCalledOnce());
    expect(error).toHaveBeenCalledOnce();
  });
});

describe('an outbox as an actor', () => {
  test('takes its verbs as events, tells what became of them, and is done when it is closed', async () => {
    const { client, server } = scripted();
    const outbox = createOutbox(client, { store: memoryOutbox('alice') });
    const actor = createActor(fromOutbox(outbox)).start();
    const told: unknown[] = [];
    actor.on('*', (event) => told.push(event));
    actor.send({ type: 'outbox.start', request: { taskType: 'any', clientRequestId: 'mine' } });
    await vi.waitFor(() => expect(told).toHaveLength(2));
    expect(told).toMatchObject([
      { type: 'kept', clientRequestId: 'mine', command: { type: 'outbox.start' } },
      { type: 'settled', outcome: { state: 'done', response: { taskId: 'task-1' } } },
    ]);
    await waitFor(actor, (now) => now.matches('idle'));
    expect(actor.getSnapshot().context.entries).toMatchObject([{ state: 'done' }]);
    actor.send({ type: 'outbox.act', target: 'task-1', request: { suspendId: 's', actionType: 'yes', payload: { at: 1n as never } } });
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ type: 'refused', code: 'INVALID_ARGUMENT' }));
    actor.send({ type: 'outbox.dismiss' });
    await waitFor(actor, ({ context }) => context.entries.length === 0);
    await outbox.close();
    await waitFor(actor, ({ status }) => status === 'done');
    expect(server.tasks).toHaveLength(1);
  });

  test('stays as it is when its actor stops', async () => {
    const { client } = scripted();
    const outbox = createOutbox(client, { store: memoryOutbox('alice') });
    onTestFinished(() => outbox.close());
    const actor = createActor(fromOutbox(outbox)).start();
    actor.stop();
    await (await outbox.start({ taskType: 'any' })).settled();
    expect([actor.getSnapshot().status, outbox.getSnapshot().entries.length]).toEqual(['stopped', 1]);
  });
});
